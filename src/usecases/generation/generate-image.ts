import { type Attempt, billingOf, isCallFor, isOpen, nextAttemptNo } from '../../domain/attempt.ts';
import { AppError } from '../../domain/errors.ts';
import { hasImage, type ImageJob, type JobError, jobError } from '../../domain/image-job.ts';
import { ProviderError, type ProviderFailure, type Spool } from '../../domain/ports.ts';
import type { CallProvider } from './call-provider.ts';
import type { CheckBreaker } from './check-breaker.ts';
import type { CheckThrottle } from './check-throttle.ts';
import type { WithEarlyUpload } from './early-upload.ts';
import type { FinalizeRun } from './finalize-run.ts';
import type { JobRun } from './job-run.ts';
import type { ResumeCall } from './resume-call.ts';
import {
  decideRetry,
  endUnlessRepeatable,
  type ImageOutcome,
  lostResponse,
  RETRY_LATER,
  type UncertainPolicy,
} from './retry-decision.ts';

interface Deps {
  callProvider: CallProvider;
  resumeCall: ResumeCall;
  finalizeRun: FinalizeRun;
  withEarlyUpload: WithEarlyUpload;
  checkBreaker: CheckBreaker;
  checkThrottle: CheckThrottle;
  /** Returns the breaker scopes of the job's calls. */
  scopesOf: (job: ImageJob) => readonly string[];
  /** Returns the breaker scope that a failure of the job's call blocks, if any. */
  scopeOfFailure: (job: ImageJob, failure: ProviderFailure) => string | null;
  spool: Pick<Spool, 'hasCapacity' | 'open' | 'remove'>;
  random: () => number;
  policy: UncertainPolicy & { onQuota: 'fail' | 'wait' };
}

export type GenerateImage = (run: JobRun, index: number, prompt: string) => Promise<ImageOutcome>;

/**
 * Generates one image. It first uses responses that earlier runs paid for. A new call is made only if none is in flight. A
 * call is repeated only if the last one was provably not accepted, or if a second payment is allowed.
 */
export function createGenerateImage(deps: Deps): GenerateImage {
  /** Returns why no call may be made now. */
  async function blockedOutcome(job: ImageJob, index: number): Promise<ImageOutcome | null> {
    if (!(await deps.spool.hasCapacity())) return RETRY_LATER;
    // The store has lost the row of a paid response. Recovery restores it, and a call with its number would replace it.
    if (await deps.spool.open(spoolKeyOf(job, nextAttemptNo(job.attempts)))) return RETRY_LATER;
    return (await deps.checkThrottle(job.tenant)) ?? deps.checkBreaker(deps.scopesOf(job), index);
  }

  /** Returns the outcome of a failed call; `null` means another call. */
  async function judge(run: JobRun, index: number, failure: ProviderFailure): Promise<ImageOutcome | null> {
    const { job, signal } = run;
    if (signal.aborted) return { kind: 'stopped' };
    const waits = failure.kind === 'stopped' && deps.policy.onQuota === 'wait';
    const scope = deps.scopeOfFailure(job, failure);
    if (waits && scope !== null) return blockedOutcome(job, index);
    const judged = waits ? { ...failure, kind: 'refused' as const } : failure;
    const outcome = decideRetry(judged, job, { index, policy: deps.policy, random: deps.random() });
    if (outcome.kind !== 'wait') return outcome;
    return scope === null ? outcome : { ...outcome, blocked: { scope, code: failure.code } };
  }

  function payForImage(run: JobRun, index: number, prompt: string): Promise<ImageOutcome> {
    return deps.withEarlyUpload(run, async (earlyUpload) => {
      const no = await deps.callProvider.call(run, index, { prompt, earlyUpload });
      if (no === null) return { kind: 'stored' };
      const attempt = run.job.attempts.find((each) => each.no === no);
      if (!attempt) throw new Error(`attempt ${no} of ${run.job.id} is missing in its ledger`);
      return deps.finalizeRun(run, attempt, earlyUpload);
    });
  }

  /**
   * Records a response that turned out to hold no image when it was read, long after its call ended well.
   *
   * @returns the failure with the facts of that call.
   */
  async function recordUnusable(
    run: JobRun,
    index: number,
    failure: ProviderFailure,
  ): Promise<ProviderFailure> {
    const read = readResponse(run.job, index, failure);
    if (!read) return failure;
    await deps.callProvider.recordFailure(run, read, failure);
    // The file comes last, because only it holds the charge until then.
    await removeResponse(run, read);
    const { providerRequestId: request_id } = read;
    return {
      ...failure,
      provider: { status: 200, ...(request_id ? { request_id } : {}), ...failure.provider },
    };
  }

  async function removeResponse({ job }: JobRun, { no: attemptNo }: Attempt): Promise<void> {
    await deps.spool.remove(spoolKeyOf(job, attemptNo));
  }

  return async (run, index, prompt) => {
    let reads = 0;
    while (!run.signal.aborted) {
      try {
        const earlier = await deps.resumeCall(run, index);
        if (earlier) return earlier;
        if (hasImage(run.job, index)) return { kind: 'stored' };
        const final = finalFailure(run.job, index);
        if (final) return final;
        // A dead worker may have paid without a trace, so the rules for a call with an unknown outcome apply.
        if (hasUnknownOutcome(run.job, index)) {
          const { policy } = deps;
          const end = endUnlessRepeatable(lostResponse().failure, run.job, { index, policy });
          if (end) return end;
        }
        return (await blockedOutcome(run.job, index)) ?? (await payForImage(run, index, prompt));
      } catch (error) {
        if (isOverBudget(error)) return { kind: 'failed', error: overBudget(run.job, index, error) };
        if (!(error instanceof ProviderError)) throw error;
        reads += 1;
        const stored = storedResponse(run.job, index);
        if (error.failure.kind === 'damaged' && reads < maxReads && stored) {
          await removeResponse(run, stored);
          continue;
        }
        const failure = await recordUnusable(run, index, error.failure);
        if (isResumable(run, index)) return RETRY_LATER;
        const outcome = await judge(run, index, failure);
        if (outcome) return outcome;
      }
    }
    return { kind: 'stopped' };
  };
}

const spoolKeyOf = ({ tenant, id: jobId }: ImageJob, attemptNo: number) => ({ tenant, jobId, attemptNo });

/** Maximum number of times that a run reads a response with damaged bytes from the provider that stores it. */
const maxReads = 3;

/** Returns the open call whose response the provider stores, so that reading it again is free. */
const storedResponse = ({ attempts }: ImageJob, index: number) =>
  attempts.find((each) => isCallFor(each, index) && isOpen(each) && each.handle !== undefined);

/**
 * Returns the call whose complete response failed. Its worker may have died before it recorded that the response arrived.
 * An open call with an unknown outcome is none: it may still bring a response.
 */
const readResponse = ({ attempts }: ImageJob, index: number, { kind }: ProviderFailure) =>
  attempts.find(
    (each) =>
      isCallFor(each, index) &&
      (each.state === 'received' || (each.state === 'calling' && kind !== 'uncertain')),
  );

const isOverBudget = (error: unknown): error is AppError =>
  error instanceof AppError && error.code === 'budget_exceeded';

/** Returns the failure of an image whose further call does not fit a budget, with the charges of its earlier calls. */
function overBudget({ attempts }: ImageJob, index: number, { message }: AppError): JobError {
  const billing = billingOf(attempts.filter((each) => isCallFor(each, index)));
  return jobError('budget_exceeded', billing, { index, stage: 'generating', message });
}

/** Returns whether a failed call is still open, so that a later run can resume it by its handle. */
const isResumable = ({ job, signal }: JobRun, index: number) =>
  !signal.aborted &&
  job.attempts.some(
    (each) => isCallFor(each, index) && each.state === 'calling' && each.handle !== undefined,
  );

/** Returns whether a call for the image may have been paid although it brought nothing. */
const hasUnknownOutcome = ({ attempts }: ImageJob, index: number) =>
  attempts.some((each) => isCallFor(each, index) && ['uncertain', 'unusable', 'wasted'].includes(each.state));

/**
 * Returns the failure of an image whose complete response held no image, if its worker died before it could end the image.
 * Another call would bring the same response.
 */
function finalFailure({ attempts }: ImageJob, index: number): ImageOutcome | null {
  const attempt = attempts.find((each) => isCallFor(each, index) && each.final);
  if (!attempt) return null;
  const error = jobError('provider_unusable_answer', billingOf([attempt]), { index, stage: 'generating' });
  return { kind: 'failed', error };
}
