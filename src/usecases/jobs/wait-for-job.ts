import { type ImageJob, isTerminal, waitsUntil } from '../../domain/image-job.ts';
import type { Clock, Signals } from '../../domain/ports.ts';

/** Looks again after this long even without a message, since messages may be lost. */
const pollMs = 5_000;

interface Deps {
  signals: Pick<Signals, 'onChange'>;
  clock: Clock;
  /** Reads the job; `null` ends the following. */
  read: () => Promise<ImageJob | null>;
}

/**
 * A job as it is now and whenever it may have changed, until it has ended, `waitMs` are over or `signal` aborts: also then
 * it is read once more. A message, the end of the job's patience and every five seconds are reasons to look.
 *
 * Followers share the process's one subscription. Rejects with what `read` throws.
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
      // Listening starts before the read, so that no change can fall between the two.
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

/** How long a job goes on waiting; for ever once that is over, for then somebody else is to end it. */
function remainingMs(job: ImageJob, nowMs: number): number {
  const left = (waitsUntil(job) ?? 0) - nowMs;
  return left > 0 ? left : Number.POSITIVE_INFINITY;
}
