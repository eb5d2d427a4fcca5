import type { ImageJob, Retention } from './image-job.ts';

/** How long a job's pictures and record are kept: what the caller asked for, within what the deployment allows. */
export function retentionFor(job: ImageJob, most: Retention): Retention {
  const { media_s = most.mediaSeconds, record_s = most.recordSeconds } = job.request?.retention ?? {};
  return {
    mediaSeconds: Math.min(media_s, most.mediaSeconds),
    recordSeconds: Math.min(record_s, most.recordSeconds),
  };
}
