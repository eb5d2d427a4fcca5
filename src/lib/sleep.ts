import { setTimeout as timeout } from 'node:timers/promises';

/** Resolves after the time, or at once when the signal aborts; never rejects. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}

/** Resolves after the time, but keeps no process alive that has nothing else to do. */
export function idle(ms: number): Promise<void> {
  return timeout(ms, undefined, { ref: false });
}
