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
  const isFree = billingOf(job.attempts) === 'none';
  return {
    mediaSeconds: Math.min(media_s, max.mediaSeconds),
    recordSeconds: Math.min(record_s, max.recordSeconds, isFree ? max.freeRecordSeconds : Infinity),
  };
}
