import { type Attempt, isCallFor } from '../../domain/attempt.ts';
import { type ErrorCode, errorRow } from '../../domain/errors.ts';
import { hasImage, type ImageJob, jobError } from '../../domain/image-job.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import {
  type CircuitBreaker,
  type Clock,
  ProviderError,
  type ProviderFailure,
  type Spool,
} from '../../domain/ports.ts';
import { type CallProvider, lostResponse, scopesOf } from './call-provider.ts';
import type { EarlyUpload } from './early-upload.ts';
import type { FinalizeResponse } from './finalize-response.ts';
import type { JobRun } from './job-run.ts';
import { createResumeCall } from './resume-call.ts';
import { decideRetry, type ImageOutcome, RETRY_LATER, type UncertainPolicy } from './retry-decision.ts';

interface Deps {
  callProvider: CallProvider;
  finalizeResponse: FinalizeResponse;
  catalogue: ModelCatalogue;
  breaker: CircuitBreaker;
  spool: Spool;
  clock: Clock;
  random: () => number;
  policy: UncertainPolicy & { onQuota: 'fail' | 'wait' };
}

export type GenerateImage = (run: JobRun, index: number, prompt: string) => Promise<ImageOutcome>;

/**
 * Makes one image. What an earlier execution paid for is used first; a new call is made only where none is under way,
 * and repeated only where the last one provably was not accepted or a second payment is allowed.
 */
export function createGenerateImage(deps: Deps): GenerateImage {
  const settle = async (run: JobRun, attempt: Attempt, earlyUpload?: EarlyUpload): Promise<ImageOutcome> => {
    try {
      const done = await deps.finalizeResponse(run.job, attempt, run.signal, {
        tell: run.change,
        prepared: await earlyUpload?.prepared(),
      });
      return { kind: done ? 'stored' : 'stopped' };
    } finally {
      earlyUpload?.end();
    }
  };

  const resumeCall = createResumeCall({ ...deps, settle });

  /** Why no call may be made now. */
  async function breakerOutcome(job: ImageJob, index: number): Promise<ImageOutcome | null> {
    if (!(await deps.spool.hasRoom())) return RETRY_LATER;
    const closed = await deps.breaker.findBlock(scopesOf(job, deps.catalogue));
    if (!closed) return null;
    const isRefused = closed.code !== 'provider_rate_limited' && !closed.isProbed;
    if (isRefused && deps.policy.onQuota === 'fail') {
      return { kind: 'failed', error: refusedByBreaker(closed.code, index) };
    }
    return { kind: 'wait', delayMs: Math.max(1, closed.untilMs - deps.clock()) };
  }

  /** What follows from a failed call; `null` means another call. */
  async function judge(run: JobRun, index: number, failure: ProviderFailure): Promise<ImageOutcome | null> {
    const { job, signal } = run;
    if (signal.aborted) return { kind: 'stopped' };
    if (failure.kind === 'stopped' && deps.policy.onQuota === 'wait') return breakerOutcome(job, index);
    return decideRetry(failure, job, index, deps.policy, deps.random());
  }

  async function fresh(run: JobRun, index: number, prompt: string): Promise<ImageOutcome> {
    const closed = await breakerOutcome(run.job, index);
    if (closed) return closed;
    const called = await deps.callProvider.call(run, index, prompt);
    if (!called) return { kind: 'stored' };
    const { no, earlyUpload } = called;
    const attempt = run.job.attempts.find((each) => each.no === no);
    if (attempt) return settle(run, attempt, earlyUpload);
    earlyUpload.end();
    throw new Error(`attempt ${no} of ${run.job.id} is not in its ledger`);
  }

  return async (run, index, prompt) => {
    let hasFailedHere = false;
    while (!run.signal.aborted) {
      try {
        const earlier = await resumeCall(run, index);
        if (earlier) return earlier;
        if (hasImage(run.job, index)) return { kind: 'stored' };
        // A dead worker may have paid without a trace: the rules for a call of unknown outcome apply.
        if (!hasFailedHere && isInDoubt(run.job, index)) {
          const outcome = await judge(run, index, lostResponse().failure);
          if (outcome) return outcome;
        }
        return await fresh(run, index, prompt);
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        hasFailedHere = true;
        const failure = await recordUnusable(run, index, error.failure);
        if (livesOn(run, index)) return RETRY_LATER;
        const outcome = await judge(run, index, failure);
        if (outcome) return outcome;
      }
    }
    return { kind: 'stopped' };
  };

  /**
   * An answer that turned out to hold no image is noted when it is read, long after its call ended well.
   *
   * @returns the failure with what is known of that call
   */
  async function recordUnusable(
    run: JobRun,
    index: number,
    failure: ProviderFailure,
  ): Promise<ProviderFailure> {
    const read = run.job.attempts.find((each) => each.index === index && each.state === 'received');
    if (!read) return failure;
    await deps.callProvider.recordFailure(run, read.no, failure);
    const { providerRequestId: request_id } = read;
    return {
      ...failure,
      provider: { status: 200, ...(request_id ? { request_id } : {}), ...failure.provider },
    };
  }
}

/** Whether a call is still open after it failed here: it can be taken up by its handle. */
const livesOn = ({ job, signal }: JobRun, index: number) =>
  !signal.aborted &&
  job.attempts.some(
    (each) => isCallFor(each, index) && each.state === 'calling' && each.handle !== undefined,
  );

/** Whether a call for the image may have been paid although nothing came of it. */
const isInDoubt = ({ attempts }: ImageJob, index: number) =>
  attempts.some((each) => isCallFor(each, index) && ['uncertain', 'unusable', 'wasted'].includes(each.state));

function refusedByBreaker(code: ErrorCode, index: number) {
  const message = `${errorRow(code).title}. No call was made; one is tried again within five minutes.`;
  return jobError(code, 'none', { index, stage: 'generating', message });
}
