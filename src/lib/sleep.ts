import { setTimeout as timeout } from 'node:timers/promises';

/** Resolves after the time, or as soon as the signal aborts. Never rejects. */
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

/** Resolves after the time. Does not keep the process alive. */
export function idle(ms: number): Promise<void> {
  return timeout(ms, undefined, { ref: false });
}
