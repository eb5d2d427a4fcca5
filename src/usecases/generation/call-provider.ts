import { type Attempt, knownCost } from '../../domain/attempt.ts';
import { AppError, errorRow } from '../../domain/errors.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import {
  type CallContext,
  type CircuitBreaker,
  type Clock,
  type ImageProvider,
  type Log,
  type Meter,
  ProviderError,
  type ProviderFailure,
  type ResponseMeta,
  type ResponseSink,
} from '../../domain/ports.ts';
import { providerDelayMs } from '../../domain/retry-schedule.ts';
import { callCost } from './call-cost.ts';
import type { EarlyUpload } from './early-upload.ts';
import { imageParameters } from './image-parameters.ts';
import { isHandingOver, type JobRun } from './job-run.ts';
import type { SpoolResponse } from './spool-response.ts';

interface Deps {
  provider: ImageProvider;
  breaker: CircuitBreaker;
  spoolResponse: SpoolResponse;
  catalogue: ModelCatalogue;
  clock: Clock;
  random: () => number;
  meter: Meter;
  log: Log;
}

const defaultCallTimeoutSeconds = 600;

export const accountScope = 'account';

/** The lane of a job's model, which is the same by whichever of its names the model was ordered. */
function modelScope({ request }: ImageJob, catalogue: ModelCatalogue): string {
  const name = request?.model ?? '';
  return `model:${catalogue.find(name)?.id ?? name}`;
}

/** All lanes that a job's calls take; the account last, so that whoever its model keeps back takes no probe of it. */
export const scopesOf = (job: ImageJob, catalogue: ModelCatalogue): readonly string[] => [
  modelScope(job, catalogue),
  accountScope,
];

/**
 * The paid part: a ledger row, one call, the answer on disk, the next ledger row. Nothing else happens between the row
 * and the socket, so that a death at any moment is told from the row.
 */
export function createCallProvider(deps: Deps) {
  function contextOf(run: JobRun, no: number): CallContext {
    const { job } = run;
    const found = deps.catalogue.find(job.request?.model ?? '');
    return {
      signal: run.signal,
      timeoutMs: (found?.call_timeout_s ?? defaultCallTimeoutSeconds) * 1000,
      clientRequestId: `${job.id}-${no}`,
      traceparent: job.traceparent,
      onHandle: (handle) => run.moveAttempt(no, { handle }),
    };
  }

  /**
   * Runs a call whose row is written, and moves the row on with what became of it.
   *
   * @returns what was done with the answer on its way; to be ended by the caller.
   * @throws ProviderError
   */
  async function follow(
    run: JobRun,
    attempt: { no: number; index: number },
    work: (context: CallContext, sink: ResponseSink) => Promise<ResponseMeta>,
  ): Promise<EarlyUpload> {
    const { job } = run;
    const { no } = attempt;
    const model = deps.catalogue.find(job.request?.model ?? '')?.id ?? 'other';
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    let ourFault = false;
    const response = deps.spoolResponse(run, attempt);
    try {
      const head = await work(contextOf(run, no), response.sink).catch((error) => {
        if (isClassified(error)) throw error;
        ourFault = true;
        deps.log.error({ err: error, job_id: job.id, attempt: no }, 'an answer could not be kept');
        throw keptNothing(error);
      });
      deps.meter.providerCall('generate', model, 'ok', seconds());
      deps.meter.stageDone('generating', seconds());
      await resetScope();
      await response.enter(head);
      return response.earlyUpload;
    } catch (error) {
      response.earlyUpload.end();
      if (!(error instanceof ProviderError)) throw error;
      if (error.failure.kind === 'uncertain' && continuesAtProvider(run, no, ourFault)) {
        deps.meter.providerCall('generate', model, 'handed_on', seconds());
        throw error;
      }
      deps.meter.providerCall('generate', model, error.failure.code, seconds());
      await recordFailure(run, no, error.failure);
      throw error;
    }
  }

  /** The account is served. A store that cannot be told must not come between a paid answer and its row. */
  async function resetScope(): Promise<void> {
    await deps.breaker.open(accountScope).catch((error) => {
      deps.log.warn({ err: error }, 'the account works again, but the others could not be told yet');
    });
  }

  /** Writes down what became of a call that brought no image, and closes the lanes that it concerns. */
  async function recordFailure(run: JobRun, no: number, failure: ProviderFailure): Promise<void> {
    const requestId = failure.provider?.request_id;
    // Cut off by our own leaving: that is no failure of the provider, and a few deploys must not use up its attempts.
    const isCutOff = failure.kind === 'uncertain' && isHandingOver(run.signal);
    await run.moveAttempt(
      no,
      {
        state: stateAfter(failure),
        error: isCutOff ? 'worker_lost' : failure.code,
        finishedAt: deps.clock(),
        ...(requestId ? { providerRequestId: requestId } : {}),
        ...chargeOf(run.job, no, failure),
      },
      (job) => (failure.kind === 'refused' ? { ...job, refusals: (job.refusals ?? 0) + 1 } : job),
    );
    deps.log.warn(
      {
        job_id: run.job.id,
        attempt: no,
        code: failure.code,
        kind: failure.kind,
        provider: failure.provider,
      },
      'provider call brought no image',
    );
    await tripScopes(run.job, failure);
  }

  /** What is known of the money for a call without an image. An answer that was here stays paid when it is lost. */
  function chargeOf(job: ImageJob, no: number, { kind, billing, spent }: ProviderFailure): Partial<Attempt> {
    const wasHere = job.attempts.some((each) => each.no === no && each.receivedAt !== undefined);
    if (billing !== 'charged' && !(wasHere && kind === 'uncertain')) return {};
    return { charged: true, ...knownCost(spent ? callCost(job, spent, deps.catalogue) : null) };
  }

  async function tripScopes(job: ImageJob, failure: ProviderFailure): Promise<void> {
    const { code } = failure;
    if (failure.kind === 'stopped') {
      deps.log.error({ code, provider: failure.provider }, 'the provider account is refused; calls rest');
      await deps.breaker.suspect(accountScope, code);
    } else if (failure.kind === 'refused' && code === 'provider_rate_limited') {
      const delayMs = providerDelayMs(job.refusals ?? 1, failure.retryAfterMs, deps.random());
      await deps.breaker.close(modelScope(job, deps.catalogue), {
        untilMs: deps.clock() + delayMs,
        code,
      });
    }
  }

  return {
    recordFailure,

    /**
     * Pays for one image.
     *
     * @returns the attempt whose answer is spooled, see `follow`; `null` when the image turned out to be there already.
     * @throws ProviderError
     */
    async call(
      run: JobRun,
      index: number,
      prompt: string,
    ): Promise<{ no: number; earlyUpload: EarlyUpload } | null> {
      const { request } = run.job;
      const no = await run.openAttempt('generate', index, 'generating', deps.clock());
      if (no === null) return null;
      const image = { model: request?.model ?? '', prompt, parameters: imageParameters(request) };
      const earlyUpload = await follow(run, { no, index }, (context, sink) =>
        deps.provider.generate(image, context, sink),
      );
      return { no, earlyUpload };
    },

    /** Takes up a call that a dead worker began. Costs nothing. @returns see `follow`. @throws ProviderError */
    resume(run: JobRun, attempt: { no: number; index: number }, handle: string): Promise<EarlyUpload> {
      return follow(run, attempt, (context, sink) => {
        if (!deps.provider.resume) throw lostResponse();
        return deps.provider.resume(handle, context, sink);
      });
    },
  };
}
export type CallProvider = ReturnType<typeof createCallProvider>;

/** The failure of a call that left no trace of its answer. */
export function lostResponse(): ProviderError {
  return new ProviderError({
    kind: 'uncertain',
    code: 'provider_outcome_unknown',
    billing: 'possible',
    message: 'The call was sent, but its outcome is unknown. It may have been charged.',
  });
}

/** Whether an error says itself what became of a call: the provider's, and the record's when it refuses a change. */
const isClassified = (error: unknown) =>
  error instanceof ProviderError || (error instanceof AppError && error.code !== 'storage_failed');

/** A call that failed on our side after it was sent: it may have been charged, and counts as such. */
function keptNothing(error: unknown): ProviderError {
  const code = error instanceof AppError ? error.code : 'internal';
  const message = `${errorRow(code).title}. The call may have been charged.`;
  return new ProviderError({ kind: 'uncertain', code, billing: 'possible', message }, error);
}

/**
 * Whether a call lives on at the provider: this execution is told to leave it to the next one, or it is only we who
 * could not keep its answer. Its row stays as it is, so that it is taken up again by its handle instead of paid again.
 */
function continuesAtProvider({ job, signal }: JobRun, no: number, ourFault: boolean): boolean {
  const hasHandle = job.attempts.some((each) => each.no === no && each.handle !== undefined);
  return hasHandle && (isHandingOver(signal) || (ourFault && !signal.aborted));
}

function stateAfter(failure: ProviderFailure): 'rejected' | 'unusable' | 'uncertain' {
  if (failure.kind === 'unusable') return 'unusable';
  return failure.kind === 'uncertain' ? 'uncertain' : 'rejected';
}
