import type { Config } from '../config/config.ts';
import type { ImageJob, Retention } from '../domain/image-job.ts';
import { retentionFor } from '../domain/retention.ts';

/** Returns how long a job's images and record are stored within the deployment's limits. */
export function retentionOf(config: Config): (job: ImageJob) => Retention {
  const max = {
    mediaSeconds: config.MEDIA_TTL_S,
    recordSeconds: config.RECORD_TTL_S,
    freeRecordSeconds: config.FREE_RECORD_TTL_S,
  };
  return (job) => retentionFor(job, max);
}
