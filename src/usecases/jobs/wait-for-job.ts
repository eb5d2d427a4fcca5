import { type ImageJob, isTerminal } from '../../domain/image-job.ts';
import { waitsUntil } from '../../domain/job-deadlines.ts';
import type { Clock, Signals } from '../../domain/ports.ts';

/** Interval of reads without a message, in milliseconds, because messages may be lost. */
const pollMs = 5_000;

interface Deps {
  signals: Pick<Signals, 'onChange'>;
  clock: Clock;
  /** Reads the job. `null` ends the wait. */
  read: () => Promise<ImageJob | null>;
}

/**
 * Yields a job now and after every possible change, until the job has ended, `waitMs` are over or `signal` aborts. The job
 * is read once more at the timeout or abort. A message, the end of the queue TTL and every five seconds cause a read.
 *
 * All waits share the one subscription of the process. Rejects with the error of `read`.
 */
export async function* waitForJob(
  { signals, clock, read }: Deps,
  { tenant, id }: Pick<ImageJob, 'tenant' | 'id'>,
  until: { signal: AbortSignal; waitMs?: number },
): AsyncGenerator<ImageJob, void, undefined> {
  const { signal, waitMs = Number.POSITIVE_INFINITY } = until;
  const deadline = performance.now() + waitMs;
  let dispatchTask = () => {};
  const stop = signals.onChange(tenant, id, () => dispatchTask());
  const onAbort = () => dispatchTask();
  signal.addEventListener('abort', onAbort);
  try {
    for (;;) {
      // Listening starts before the read, because a change between the two would be missed.
      const changed = new Promise<void>((resolve) => {
        dispatchTask = resolve;
      });
      const job = await read();
      if (!job) return;
      yield job;
      const left = deadline - performance.now();
      if (isTerminal(job.status) || left <= 0 || signal.aborted) return;
      const timer = setTimeout(() => dispatchTask(), Math.min(left, pollMs, remainingMs(job, clock())));
      await changed;
      clearTimeout(timer);
    }
  } finally {
    stop();
    signal.removeEventListener('abort', onAbort);
  }
}

/** Returns the time left of the queue TTL. Returns infinity after it, because another process then ends the job. */
function remainingMs(job: ImageJob, nowMs: number): number {
  const left = (waitsUntil(job) ?? 0) - nowMs;
  return left > 0 ? left : Number.POSITIVE_INFINITY;
}
