import type { ImageJob, Retention } from './image-job.ts';

/** How long a job's images and record are kept: what the caller asked for, within what the deployment allows. */
export function retentionFor(job: ImageJob, max: Retention): Retention {
  const { media_s = max.mediaSeconds, record_s = max.recordSeconds } = job.request?.retention ?? {};
  return {
    mediaSeconds: Math.min(media_s, max.mediaSeconds),
    recordSeconds: Math.min(record_s, max.recordSeconds),
  };
}
