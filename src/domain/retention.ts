import type { ImageJob, Retention } from './image-job.ts';

/** Returns how long the images and the record of a job stay: as requested, limited by the deployment. */
export function retentionFor(job: ImageJob, max: Retention): Retention {
  const { media_s = max.mediaSeconds, record_s = max.recordSeconds } = job.request?.retention ?? {};
  return {
    mediaSeconds: Math.min(media_s, max.mediaSeconds),
    recordSeconds: Math.min(record_s, max.recordSeconds),
  };
}
