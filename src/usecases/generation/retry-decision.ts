import { paymentsFor } from '../../domain/attempt.ts';
import { type ImageJob, type JobError, jobError } from '../../domain/image-job.ts';
import type { ProviderFailure } from '../../domain/ports.ts';
import { providerDelayMs } from '../../domain/retry-schedule.ts';

/** What became of one of the `n` pictures in one execution. */
export type PictureOutcome =
  | { readonly kind: 'stored' }
  | { readonly kind: 'wait'; readonly delayMs: number }
  | { readonly kind: 'failed'; readonly error: JobError }
  | { readonly kind: 'stopped' };

/** Nothing can be done for the picture just now; another execution looks again. */
export const lookAgain: PictureOutcome = { kind: 'wait', delayMs: 5_000 };

/** How a deployment treats calls of which nobody knows whether they were charged. */
export interface UncertainPolicy {
  readonly onUncertain: 'retry' | 'fail';
  /** Most calls for one picture that were, or may have been, charged. */
  readonly maxPaidAttempts: number;
}

/** Whether a call of unknown outcome may be made again, and paid for a second time. */
export function consents({ request }: ImageJob, policy: Pick<UncertainPolicy, 'onUncertain'>): boolean {
  return (request?.on_uncertain ?? policy.onUncertain) === 'retry';
}

/**
 * What a failed call means for its picture: wait (it provably was not accepted), give up, or, as `null`, call again
 * at once, which may pay a second time and therefore needs the caller's or the deployment's consent.
 */
export function verdictOn(
  failure: ProviderFailure,
  job: ImageJob,
  index: number,
  policy: UncertainPolicy,
  random: number,
): PictureOutcome | null {
  if (failure.kind === 'refused') {
    return { kind: 'wait', delayMs: providerDelayMs(job.refusals ?? 1, failure.retryAfterMs, random) };
  }
  const doubtful = failure.kind === 'uncertain' || failure.kind === 'unusable';
  if (doubtful && consents(job, policy) && paymentsFor(job.attempts, index) < policy.maxPaidAttempts)
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
