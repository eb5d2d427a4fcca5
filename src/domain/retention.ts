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
