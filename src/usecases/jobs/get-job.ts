import { AppError } from '../../domain/errors.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import type { Clock, JobKey, JobStore, Signals } from '../../domain/ports.ts';
import type { ExpireJob } from './expire-job.ts';
import { waitForJob } from './wait-for-job.ts';

/** Finds a job. @throws AppError `not_found`, also for a job of another tenant; `erased` for a tombstone. */
export async function findJob(records: JobStore, tenant: string, id: string): Promise<ImageJob> {
  const job = await records.get(tenant, id);
  if (!job) throw new AppError('not_found', { detail: 'There is no image job with this id.' });
  if (job.erasedAt !== undefined) {
    throw new AppError('erased', {
      detail: `The job was erased on ${new Date(job.erasedAt).toISOString()}; only its id, times and amounts remain.`,
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
 * Reads a job, or waits until it has ended. A read of a queued job past its queue TTL ends the job, so that no caller sees
 * it as queued, even without a worker or a sweeper.
 */
export function createGetJob(deps: Deps) {
  /** Returns a job just read in its current state. If the store accepts no writes, the job is shown as it is. */
  const current = async (job: ImageJob) =>
    job.status === 'queued' ? deps.expireJob(job).catch(() => job) : job;

  const get = async (tenant: string, id: string) => current(await findJob(deps.records, tenant, id));

  /** Returns the version of a job's record; `null` if there is none. */
  const versionOf = (tenant: string, id: string) => deps.records.versionOf(tenant, id);

  /**
   * Returns the job once it is terminal, or its current state when `waitMs` have passed or `signal` aborts.
   *
   * @throws AppError like `get`, also if the job is erased during the wait
   */
  async function waitForEnd({ tenant, id }: JobKey, waitMs: number, signal: AbortSignal): Promise<ImageJob> {
    const read = () => get(tenant, id);
    let last: ImageJob | undefined;
    for await (const job of waitForJob({ ...deps, read }, { tenant, id }, { signal, waitMs })) last = job;
    return last ?? read();
  }

  return { get, current, versionOf, waitForEnd };
}
export type GetJob = ReturnType<typeof createGetJob>;
