import { AppError } from '../../domain/errors.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import type { Clock, JobStore, Signals } from '../../domain/ports.ts';
import type { ExpireJob } from './expire-job.ts';
import { waitForJob } from './wait-for-job.ts';

/** Finds a job. @throws AppError `not_found`, also for another tenant's; `erased` for a tombstone. */
export async function findJob(records: JobStore, tenant: string, id: string): Promise<ImageJob> {
  const job = await records.get(tenant, id);
  if (!job) throw new AppError('not_found', { detail: 'There is no image job with this id.' });
  if (job.erasedAt !== undefined) {
    throw new AppError('erased', {
      detail: `The job was erased on ${new Date(job.erasedAt).toISOString()}; only its id, times and amounts are kept.`,
    });
  }
  return job;
}

interface Deps {
  records: JobStore;
  signals: Signals;
  expireJob: ExpireJob;
  clock: Clock;
}

/**
 * Reads a job, or waits until it has ended. Nobody is shown a job that waits longer than it was to: whoever asks for it
 * ends it, so that this needs no worker and no sweep.
 */
export function createGetJob(deps: Deps) {
  /** A job that was just read as it is to be shown. A store that takes no writes can still be read. */
  const current = (job: ImageJob) => deps.expireJob(job).catch(() => job);

  const get = async (tenant: string, id: string) => current(await findJob(deps.records, tenant, id));

  /**
   * The job once it is terminal, or as it is when `waitMs` is over or `signal` aborts.
   *
   * @throws AppError like `get`, also when the job is erased meanwhile
   */
  async function waitForEnd(
    tenant: string,
    id: string,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<ImageJob> {
    const read = () => get(tenant, id);
    let last: ImageJob | undefined;
    for await (const job of waitForJob({ ...deps, read }, { tenant, id }, { signal, waitMs })) last = job;
    return last ?? read();
  }

  return { get, current, waitForEnd };
}
export type GetJob = ReturnType<typeof createGetJob>;
