import { sleep } from './sleep.ts';

/**
 * Maximum time that a stop waits for the current run, in milliseconds. A dependency may keep a run waiting for minutes, and
 * several runs must end within the limit of a shutdown.
 */
const maxStopMs = 3_000;

interface Options {
  readonly onError: (error: unknown) => void;
  /** Delay before the first run, in milliseconds. Default: one pause. */
  readonly firstAfterMs?: number;
}

/**
 * Runs work at intervals. The pause lies between the end of one run and the start of the next, so runs never overlap.
 *
 * @returns a function that stops further runs and waits for the current run, at most three seconds. The work must bear that
 *   its dependencies are closed, as it must bear the end of its process.
 */
export function every(
  pauseMs: number,
  work: () => Promise<void>,
  { onError, firstAfterMs = pauseMs }: Options,
): () => Promise<void> {
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout;
  const plan = (afterMs: number) => {
    timer = setTimeout(() => {
      running = work()
        .catch(onError)
        .finally(() => {
          if (!stopped) plan(pauseMs);
        });
    }, afterMs);
    timer.unref();
  };
  plan(firstAfterMs);
  return async () => {
    stopped = true;
    clearTimeout(timer);
    const ended = new AbortController();
    await Promise.race([running, sleep(maxStopMs, ended.signal)]);
    ended.abort();
  };
}
