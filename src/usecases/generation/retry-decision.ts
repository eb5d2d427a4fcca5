import { paymentsFor } from '../../domain/attempt.ts';
import { type Blocked, type ImageJob, type JobError, jobError } from '../../domain/image-job.ts';
import { ProviderError, type ProviderFailure } from '../../domain/ports.ts';
import { maxProbeIntervalMs, providerDelayMs } from '../../domain/retry-schedule.ts';

/** Result of one run for one of the `n` images. */
export type ImageOutcome =
  | { readonly kind: 'stored' }
  | {
      readonly kind: 'wait';
      readonly delayMs: number;
      /** Set if the wait does not count towards `run_timeout_s`. */
      readonly blocked?: Pick<Blocked, 'scope' | 'code'>;
    }
  | { readonly kind: 'failed'; readonly error: JobError }
  | { readonly kind: 'stopped' };

/** The image cannot make progress now; a later run tries again. */
export const RETRY_LATER: ImageOutcome = { kind: 'wait', delayMs: 5_000 };

/** Only another release can read a paid response, or knows an input. The job waits for that release. */
export const WAIT_FOR_RELEASE: ImageOutcome = { kind: 'wait', delayMs: 30_000, blocked: {} };

/** The inputs can be fetched when other jobs of this worker have fetched theirs. */
export const WAIT_FOR_FETCH_SLOT: ImageOutcome = { kind: 'wait', delayMs: 2_000, blocked: {} };

/** Policy of a deployment for calls with an unknown charge. */
export interface UncertainPolicy {
  readonly onUncertain: 'retry' | 'fail';
  /** Maximum number of calls for one image that were, or may have been, charged. */
  readonly maxPaidAttempts: number;
}

/** Returns whether a call with an unknown outcome may be repeated and paid for a second time. */
export function allowsPaidRetry(
  { request }: ImageJob,
  policy: Pick<UncertainPolicy, 'onUncertain'>,
): boolean {
  return (request?.on_uncertain ?? policy.onUncertain) === 'retry';
}

/** Describes a call that left no trace of its response. */
export function lostResponse(): ProviderError {
  return new ProviderError({
    kind: 'uncertain',
    code: 'provider_outcome_unknown',
    billing: 'possible',
    message: 'The call was sent, but its outcome is unknown. It may have been charged.',
  });
}

interface DecisionOptions {
  readonly index: number;
  readonly policy: UncertainPolicy;
}

/**
 * Decides what a failed call means for its image: wait for another call, or fail. A call that was provably not accepted is
 * repeated for free. Any other call needs consent, see `endUnlessRepeatable`. Both wait for the backoff, because a short
 * outage would use up the payments, and the hint of the provider may lengthen the wait.
 */
export function decideRetry(
  failure: ProviderFailure,
  job: ImageJob,
  options: DecisionOptions & { random: number },
): ImageOutcome {
  const isFree = failure.kind === 'refused';
  const end = isFree ? null : endUnlessRepeatable(failure, job, options);
  if (end) return end;
  const failures = isFree ? (job.refusals ?? 1) : Math.max(1, paymentsFor(job.attempts, options.index));
  const delayMs = providerDelayMs(failures, failure.retryAfterMs, options.random);
  return { kind: 'wait', delayMs: Math.min(delayMs, maxProbeIntervalMs) };
}

/**
 * Returns the end of an image after a call that may have been paid, or `null` if another call is allowed. That call may pay
 * a second time. It needs the consent of the caller or the deployment, and a failure that another call can cure: a complete
 * response that cannot be used would only come again.
 */
export function endUnlessRepeatable(
  failure: ProviderFailure,
  job: ImageJob,
  { index, policy }: DecisionOptions,
): ImageOutcome | null {
  const isComplete = failure.code === 'provider_unusable_answer';
  const isRepeatable = failure.kind === 'damaged' || (failure.kind === 'uncertain' && !isComplete);
  const isAllowed = allowsPaidRetry(job, policy) && paymentsFor(job.attempts, index) < policy.maxPaidAttempts;
  if (isRepeatable && isAllowed) return null;
  const { code, billing, message, provider } = failure;
  const facts = { message, index, stage: 'generating', ...(provider ? { provider } : {}) } as const;
  return { kind: 'failed', error: jobError(code, billing, facts) };
}
