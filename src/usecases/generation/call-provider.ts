import type { Attempt } from '../../domain/attempt.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type {
  CallContext,
  ImageProvider,
  ImageStorage,
  ProviderFailure,
  ResponseMeta,
  ResponseSink,
} from '../../domain/ports.ts';
import type { AttemptCall, AttemptedCall } from './attempt-call.ts';
import { callCost } from './call-cost.ts';
import { callInputsOf } from './call-inputs.ts';
import type { EarlyUpload } from './early-upload.ts';
import { imageCallKindOf, imageParameters } from './image-parameters.ts';
import type { JobRun } from './job-run.ts';
import { lostResponse } from './retry-decision.ts';
import type { SpooledResponse, SpoolResponse } from './spool-response.ts';
import type { createStorePreviews, StorePreviews } from './store-previews.ts';

interface Deps {
  provider: ImageProvider;
  attemptCall: AttemptCall;
  spoolResponse: SpoolResponse;
  storePreviews: ReturnType<typeof createStorePreviews>;
  storage: Pick<ImageStorage, 'read'>;
  catalogue: ModelCatalogue;
}

/** The head of a response with what spools it, and the storage of its previews. */
interface Sent {
  readonly head: ResponseMeta;
  readonly spooled: SpooledResponse;
  readonly previews: StorePreviews;
}

const defaultCallTimeoutSeconds = 600;

/** Makes the paid calls for images. Each response goes to the spool while it arrives. */
export function createCallProvider(deps: Deps) {
  const { provider, attemptCall, spoolResponse, storePreviews, storage, catalogue } = deps;

  function callFor({ job }: JobRun, index: number): Omit<AttemptedCall<Sent>, 'send'> {
    const model = job.request?.model ?? '';
    const partialImages = job.request?.partial_images ?? 0;
    return {
      ...(partialImages > 0 ? { partialImages } : {}),
      kind: imageCallKindOf(job),
      index,
      stage: 'generating',
      provider: provider.name,
      model,
      timeoutMs: (catalogue.find(model)?.call_timeout_s ?? defaultCallTimeoutSeconds) * 1000,
      async record(_no, { head, spooled, previews }) {
        // The row comes first. A crash while previews are stored must not cost a second payment.
        await spooled.enter(head);
        await previews.settled();
      },
      costOf: (spent) => callCost({ model, kind: imageCallKindOf(job) }, spent, catalogue),
    };
  }

  /** Connects a response with the spool. */
  async function spooling(
    run: JobRun,
    call: { row: Attempt; earlyUpload: EarlyUpload; context: CallContext },
    work: (sink: ResponseSink, context: CallContext) => Promise<ResponseMeta>,
  ): Promise<Sent> {
    const spooled = spoolResponse(run, call);
    const previews = storePreviews(run, call.row);
    try {
      const head = await work(spooled.sink, { ...call.context, onPartial: previews.store });
      return { head, spooled, previews };
    } catch (error) {
      // The job may end with the outcome of this call, and an ended job takes no preview.
      await previews.settled();
      throw error;
    }
  }

  return {
    /** Records that a spooled response holds no image. */
    recordFailure(run: JobRun, attempt: Attempt, failure: ProviderFailure): Promise<void> {
      const call = { ...callFor(run, attempt.index), provider: attempt.provider ?? provider.name };
      return attemptCall.recordFailure(run, attempt.no, { call, failure });
    },

    /**
     * Pays for one image.
     *
     * @returns the number of the attempt whose response is durable; `null` if another process stored the image first.
     * @throws ProviderError
     */
    async call(
      run: JobRun,
      index: number,
      { prompt, earlyUpload }: { prompt: string; earlyUpload: EarlyUpload },
    ): Promise<number | null> {
      const call = callFor(run, index);
      const image = {
        model: call.model,
        prompt,
        inputs: callInputsOf(run.job, storage),
        sendsLinks: catalogue.find(call.model)?.sends_links ?? false,
      };
      const done = await attemptCall.make(run, {
        ...call,
        send: (context, row) =>
          spooling(run, { row, earlyUpload, context }, (sink, withPreviews) =>
            provider.generate(
              { ...image, parameters: imageParameters(run.job.request, context.safetyIdentifier) },
              withPreviews,
              sink,
            ),
          ),
      });
      return done?.no ?? null;
    },

    /**
     * Resumes a call that an earlier run made. Free of charge.
     *
     * @throws ProviderError; of kind `uncertain` if another provider made the call.
     */
    async resume(
      run: JobRun,
      attempt: Attempt,
      { handle, earlyUpload }: { handle: string; earlyUpload: EarlyUpload },
    ): Promise<void> {
      const name = attempt.provider ?? provider.name;
      await attemptCall.resume(run, attempt.no, {
        ...callFor(run, attempt.index),
        provider: name,
        send: (context) =>
          spooling(run, { row: attempt, earlyUpload, context }, (sink, withPreviews) => {
            if (!provider.resume || name !== provider.name) throw lostResponse();
            return provider.resume(handle, withPreviews, sink);
          }),
      });
    },
  };
}
export type CallProvider = ReturnType<typeof createCallProvider>;
