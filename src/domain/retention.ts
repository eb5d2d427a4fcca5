import { billingOf } from './attempt.ts';
import type { ImageJob, Retention } from './image-job.ts';

/** Limits of a deployment for the retention of jobs. */
export interface RetentionLimits extends Retention {
  /** How long the record of a job stays that cost nothing. Such jobs are free to submit, so they must not pile up. */
  readonly freeRecordSeconds: number;
}

/** Returns how long the images and the record of a job stay: as requested, limited by the deployment. */
export function retentionFor(job: ImageJob, max: RetentionLimits): Retention {
  const { media_s = max.mediaSeconds, record_s = max.recordSeconds } = job.request?.retention ?? {};
  return {
    mediaSeconds: Math.min(media_s, max.mediaSeconds),
    recordSeconds: Math.min(record_s, max.recordSeconds, isFree(job) ? max.freeRecordSeconds : Infinity),
  };
}

const isFree = ({ attempts }: ImageJob): boolean => billingOf(attempts) === 'none';

/** Minimum time for which an idempotency key names its job, in milliseconds. */
export const minClaimMs = 24 * 3_600_000;

/**
 * Returns the claim of an idempotency key that ends with the record of its job, if `minClaimMs` have passed by then.
 * `undefined` if the claim stays as it is: its key is not known, or a late retry would pay a second time.
 */
export const claimThatEnds = (job: ImageJob): ImageJob['claim'] => (isFree(job) ? job.claim : undefined);

/** Time by which an idempotency claim outlives its record, because of clock differences and slow queues. */
export const claimMarginMs = 3_600_000;

/**
 * Returns until when the claim of a job must last; `undefined` if it lasts long enough since the submission. That time did
 * not include waits for a blocked provider scope, or a retention that was lengthened since.
 */
export function claimLastsUntil(job: ImageJob): number | undefined {
  const { claim, createdAt, blocked, blockedMs = 0, recordExpiresAt = 0 } = job;
  if (!claim) return undefined;
  const currentWaitMs = Math.max(0, (blocked?.untilMs ?? 0) - (blocked?.sinceMs ?? 0));
  const granted = createdAt + claim.ttlMs;
  const needed = Math.max(granted + blockedMs + currentWaitMs, recordExpiresAt + claimMarginMs);
  return needed > granted ? needed : undefined;
}
