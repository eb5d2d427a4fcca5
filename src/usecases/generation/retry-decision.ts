import { paymentsFor } from '../../domain/attempt.ts';
import { type ImageJob, type JobError, jobError } from '../../domain/image-job.ts';
import type { ProviderFailure } from '../../domain/ports.ts';
import { providerDelayMs } from '../../domain/retry-schedule.ts';

/** What became of one of the `n` images in one execution. */
export type ImageOutcome =
  | { readonly kind: 'stored' }
  | { readonly kind: 'wait'; readonly delayMs: number }
  | { readonly kind: 'failed'; readonly error: JobError }
  | { readonly kind: 'stopped' };

/** Nothing can be done for the image just now; another execution looks again. */
export const RETRY_LATER: ImageOutcome = { kind: 'wait', delayMs: 5_000 };

/** How a deployment treats calls of which nobody knows whether they were charged. */
export interface UncertainPolicy {
  readonly onUncertain: 'retry' | 'fail';
  /** Most calls for one image that were, or may have been, charged. */
  readonly maxPaidAttempts: number;
}

/** Whether a call of unknown outcome may be made again, and paid for a second time. */
export function allowsPaidRetry(
  { request }: ImageJob,
  policy: Pick<UncertainPolicy, 'onUncertain'>,
): boolean {
  return (request?.on_uncertain ?? policy.onUncertain) === 'retry';
}

/**
 * What a failed call means for its image: wait (it provably was not accepted), give up, or, as `null`, call again
 * at once, which may pay a second time and therefore needs the caller's or the deployment's consent.
 */
export function decideRetry(
  failure: ProviderFailure,
  job: ImageJob,
  index: number,
  policy: UncertainPolicy,
  random: number,
): ImageOutcome | null {
  if (failure.kind === 'refused') {
    return { kind: 'wait', delayMs: providerDelayMs(job.refusals ?? 1, failure.retryAfterMs, random) };
  }
  const unconfirmed = failure.kind === 'uncertain' || failure.kind === 'unusable';
  if (
    unconfirmed &&
    allowsPaidRetry(job, policy) &&
    paymentsFor(job.attempts, index) < policy.maxPaidAttempts
  )
    return null;
  const { code, billing, message, provider } = failure;
  return {
    kind: 'failed',
    error: jobError(code, billing, {
      message,
      index,
      stage: 'generating',
      ...(provider ? { provider } : {}),
    }),
  };
}
