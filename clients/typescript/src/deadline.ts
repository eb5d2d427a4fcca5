/** Signal that aborts when the caller aborts, or when a time passes without progress. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Starts the time again, because there was progress. */
  extend(): void;
  /** Stops the timer. The caller can still abort. */
  stop(): void;
  /** Stops the timer and no longer listens to the caller. */
  end(): void;
  /** Returns true if the time has passed. */
  hasPassed(): boolean;
}

/** Longest time of a timer: 24 days. A longer one would end at once. */
const maxTimerMs = 2 ** 31 - 1;

export function createDeadline(timeoutMs: number, caller?: AbortSignal | null): Deadline {
  const controller = new AbortController();
  let hasPassed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const abort = () => controller.abort(caller?.reason);
  const stop = () => clearTimeout(timer);
  const extend = () => {
    stop();
    if (timeoutMs === Number.POSITIVE_INFINITY) return;
    const expire = () => {
      hasPassed = true;
      controller.abort(new Error(`No progress in ${timeoutMs} ms`));
    };
    timer = setTimeout(expire, Math.min(timeoutMs, maxTimerMs));
  };
  if (caller?.aborted) abort();
  else extend();
  caller?.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    extend,
    stop,
    end() {
      stop();
      caller?.removeEventListener('abort', abort);
    },
    hasPassed: () => hasPassed,
  };
}

/** Resolves after a time. Rejects with the reason of the signal if the caller aborts. */
export function sleep(ms: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
