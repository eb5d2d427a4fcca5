import { type Attempt, paidAttempts } from '../domain/attempt.ts';
import { costOfUsage, type TokenUsage } from '../domain/cost.ts';
import { type StoredImage, storageKeyOf } from '../domain/image.ts';
import { enterStage, type ImageJob } from '../domain/image-job.ts';
import type { ModelCatalogue } from '../domain/model-catalogue.ts';
import {
  type Clock,
  type DecodedAnswer,
  type ImageProvider,
  type Log,
  type Meter,
  ProviderError,
  type ProviderFailure,
  type Spool,
} from '../domain/ports.ts';
import type { Execution } from './execution.ts';
import { type PictureOutcome, type UncertainPolicy, verdictOn } from './picture-outcome.ts';
import { pictureParameters } from './picture-parameters.ts';
import type { StorePicture } from './store-picture.ts';

interface Deps {
  provider: ImageProvider;
  spool: Spool;
  storePicture: StorePicture;
  catalogue: ModelCatalogue;
  /** Runs work under the limit on pictures held in memory. */
  inMemory: <T>(work: () => Promise<T>) => Promise<T>;
  clock: Clock;
  random: () => number;
  meter: Meter;
  log: Log;
  policy: UncertainPolicy;
}

export type MakePicture = (execution: Execution, index: number, prompt: string) => Promise<PictureOutcome>;

const defaultCallTimeoutSeconds = 600;

/**
 * Makes one picture: ledger, call, spool, decode, store, in this order. A call is repeated only where the last one
 * provably was not accepted, or where the caller's `on_uncertain` allows a second payment.
 */
export function createMakePicture(deps: Deps): MakePicture {
  const spoolKey = (job: ImageJob, attemptNo: number) => ({ tenant: job.tenant, jobId: job.id, attemptNo });

  /** An answer that an earlier execution paid for and did not store. */
  async function paidBefore(execution: Execution, index: number): Promise<number | null> {
    const open = execution.job.attempts.filter(
      (attempt) => attempt.kind === 'generate' && attempt.index === index && isOpen(attempt),
    );
    for (const attempt of open) {
      if (await deps.spool.open(spoolKey(execution.job, attempt.no))) return attempt.no;
      await execution.moveAttempt(attempt.no, {
        state: 'uncertain',
        error: 'provider_outcome_unknown',
        finishedAt: deps.clock(),
      });
    }
    return null;
  }

  /** One paid call. Returns the attempt whose answer is spooled. @throws ProviderError */
  async function call(execution: Execution, index: number, prompt: string): Promise<number> {
    const { job } = execution;
    const model = job.request?.model ?? '';
    const found = deps.catalogue.find(model);
    const no = await execution.openAttempt('generate', index, 'generating', deps.clock());
    const started = performance.now();
    const report = (outcome: string) =>
      deps.meter.providerCall(
        'generate',
        found?.id ?? 'other',
        outcome,
        (performance.now() - started) / 1000,
      );
    try {
      const head = await deps.provider.generate(
        { model, prompt, parameters: pictureParameters(job.request) },
        {
          signal: execution.signal,
          timeoutMs: (found?.call_timeout_s ?? defaultCallTimeoutSeconds) * 1000,
          clientRequestId: `${job.id}-${no}`,
          traceparent: job.traceparent,
        },
        (answerHead, body) => deps.spool.write(spoolKey(job, no), answerHead, body),
      );
      report('ok');
      deps.meter.stageDone('generating', (performance.now() - started) / 1000);
      await execution.moveAttempt(
        no,
        {
          state: 'received',
          ...(head.providerRequestId ? { providerRequestId: head.providerRequestId } : {}),
        },
        (current) => enterStage(withoutRefusals(current), 'storing', deps.clock()),
      );
      return no;
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      report(error.failure.code);
      await noteFailure(execution, no, error.failure);
      throw error;
    }
  }

  async function noteFailure(execution: Execution, no: number, failure: ProviderFailure): Promise<void> {
    const free = failure.kind === 'refused' || failure.kind === 'stopped' || failure.kind === 'final';
    const state = free ? 'rejected' : failure.kind === 'unusable' ? 'unusable' : 'uncertain';
    const requestId = failure.provider?.request_id;
    await execution.moveAttempt(
      no,
      {
        state,
        error: failure.code,
        finishedAt: deps.clock(),
        ...(requestId ? { providerRequestId: requestId } : {}),
      },
      (job) => (failure.kind === 'refused' ? { ...job, refusals: (job.refusals ?? 0) + 1 } : job),
    );
    deps.log.warn(
      {
        job_id: execution.job.id,
        attempt: no,
        code: failure.code,
        kind: failure.kind,
        provider: failure.provider,
      },
      'provider call brought no picture',
    );
  }

  /** Finds the picture in a spooled answer. An answer without one is thrown away: it would never hold one. */
  async function decode(execution: Execution, no: number): Promise<DecodedAnswer> {
    const key = spoolKey(execution.job, no);
    const answer = await deps.spool.open(key);
    try {
      if (!answer) throw lostAnswer();
      return await deps.provider.decode(answer.body);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      await noteFailure(execution, no, error.failure);
      await deps.spool.remove(key);
      throw error;
    }
  }

  async function store(execution: Execution, index: number, no: number): Promise<PictureOutcome> {
    const { job } = execution;
    const { picture, usage, revisedPrompt } = await decode(execution, no);
    const storageKey = storageKeyOf(job.tenant, job.id, index, picture.contentType);
    const image = await deps.storePicture(picture, { index, storageKey }, execution.signal);
    if (!image) return { kind: 'stopped' };
    const prices = deps.catalogue.find(job.request?.model ?? '')?.prices ?? null;
    const cost = costOfUsage(usage, prices);
    await execution.moveAttempt(
      no,
      { state: 'stored', finishedAt: deps.clock(), ...(cost === null ? {} : { costMicroUsd: cost }) },
      (current) => withImage(current, image, usage, revisedPrompt, deps.clock()),
    );
    await deps.spool.remove(spoolKey(job, no));
    return { kind: 'stored' };
  }

  const judge = (execution: Execution, index: number, failure: ProviderFailure) =>
    execution.signal.aborted
      ? stoppedOutcome
      : verdictOn(failure, execution.job, index, deps.policy, deps.random());

  return async (execution, index, prompt) => {
    let no = await paidBefore(execution, index);
    // An earlier execution may have paid without a trace of the answer: the rules for a broken call apply.
    if (no === null && paidAttempts(execution.job.attempts, index) > 0) {
      const outcome = judge(execution, index, lostAnswer().failure);
      if (outcome) return outcome;
    }
    while (!execution.signal.aborted) {
      try {
        const paid = no ?? (await call(execution, index, prompt));
        return await deps.inMemory(() => store(execution, index, paid));
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        no = null;
        const outcome = judge(execution, index, error.failure);
        if (outcome) return outcome;
      }
    }
    return stoppedOutcome;
  };
}

const stoppedOutcome: PictureOutcome = { kind: 'stopped' };
const isOpen = (attempt: Attempt) => attempt.state === 'calling' || attempt.state === 'received';

function lostAnswer(): ProviderError {
  return new ProviderError({
    kind: 'uncertain',
    code: 'provider_outcome_unknown',
    billing: 'possible',
    message: 'The call was sent, but its outcome is unknown. It may have been charged.',
  });
}

function withoutRefusals(job: ImageJob): ImageJob {
  const { refusals: _refusals, ...rest } = job;
  return rest;
}

function withImage(
  job: ImageJob,
  image: StoredImage,
  usage: TokenUsage | null,
  revisedPrompt: string | null,
  nowMs: number,
): ImageJob {
  const total = (key: 'input_tokens' | 'output_tokens' | 'total_tokens') =>
    (job.usage?.[key] ?? 0) + (usage?.[key] ?? 0);
  return {
    ...job,
    images: [...job.images.filter((each) => each.index !== image.index), image],
    ...(revisedPrompt ? { revisedPrompt } : {}),
    ...(usage
      ? {
          usage: {
            input_tokens: total('input_tokens'),
            output_tokens: total('output_tokens'),
            total_tokens: total('total_tokens'),
          },
        }
      : {}),
    updatedAt: nowMs,
  };
}
