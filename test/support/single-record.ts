import { AppError } from '../../src/domain/errors.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import type { UpdateJob } from '../../src/usecases/jobs/update-job.ts';

/** Creates a store of one job. An update repeats its change if the record changed since it was read. */
export function singleRecord(first: ImageJob) {
  let job = first;
  const faults = {
    /** Number of changes that the store refuses, because it is not available. */
    writes: 0,
    /** Whether the reply to a change is lost, although the store made the change. */
    losesReply: (_job: ImageJob): boolean => false,
  };
  const update: UpdateJob = async (_key, next, known) => {
    await Promise.resolve();
    if (faults.writes-- > 0) throw new AppError('store_unavailable');
    for (let base = known ?? job; ; base = job) {
      const after = next(base);
      if (after === null || after === base) return base;
      if (base.version !== job.version) continue;
      job = { ...after, version: job.version + 1 };
      if (faults.losesReply(job)) throw new AppError('store_unavailable');
      return job;
    }
  };
  return {
    update,
    faults,
    job: () => job,
    set(next: (job: ImageJob) => ImageJob) {
      job = { ...next(job), version: job.version + 1 };
    },
  };
}
