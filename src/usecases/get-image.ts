import { AppError } from '../domain/errors.ts';
import { type ImageJob, isTerminal } from '../domain/image-job.ts';
import type { ImageRecords, Signals } from '../domain/ports.ts';

/** A wait that outlives a lost message by this much is long enough to look again by itself. */
const pollMs = 5_000;

/** Finds a job. @throws AppError `not_found`, also for another tenant's; `erased` for a tombstone. */
export async function findImage(records: ImageRecords, tenant: string, id: string): Promise<ImageJob> {
  const job = await records.get(tenant, id);
  if (!job) throw new AppError('not_found', { detail: 'There is no image job with this id.' });
  if (job.erasedAt !== undefined) {
    throw new AppError('erased', {
      detail: `The job was erased on ${new Date(job.erasedAt).toISOString()}; only its id, times and amounts are kept.`,
    });
  }
  return job;
}

/**
 * Reads a job, or waits until it has ended.
 *
 * Waiters share the process's one subscription; a lost message only delays them by a few seconds.
 */
export function createGetImage(deps: { records: ImageRecords; signals: Signals }) {
  const get = (tenant: string, id: string) => findImage(deps.records, tenant, id);

  /** The job once it is terminal, or as it is when `waitMs` is over or `signal` aborts. */
  async function waitForEnd(
    tenant: string,
    id: string,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<ImageJob> {
    const deadline = performance.now() + waitMs;
    let wake = () => {};
    const stop = deps.signals.onChange(tenant, id, () => wake());
    const onAbort = () => wake();
    signal.addEventListener('abort', onAbort);
    try {
      for (;;) {
        // Listening starts before the read, so that no change can fall between the two.
        const changed = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const job = await get(tenant, id);
        const left = deadline - performance.now();
        if (isTerminal(job.status) || left <= 0 || signal.aborted) return job;
        const timer = setTimeout(() => wake(), Math.min(left, pollMs));
        await changed;
        clearTimeout(timer);
      }
    } finally {
      stop();
      signal.removeEventListener('abort', onAbort);
    }
  }

  return { get, waitForEnd };
}
export type GetImage = ReturnType<typeof createGetImage>;
