/** A signal that aborts when the caller cancels or the timeout ends, whichever is first. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Returns why the signal aborted, or `null` until it aborts. */
  reason(): 'canceled' | 'timeout' | null;
  /** Aborts the signal without a reason, to stop all work that still runs. */
  stop(): void;
  /** Clears the timer and removes the listener of the caller's signal. */
  release(): void;
}

/** Maximum delay of a Node timer. A longer delay fires immediately. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * Starts a deadline. Unlike `AbortSignal.any`, it leaves no listener on a signal that outlives the call.
 *
 * @param timeoutMs counts from now and covers everything up to `release`.
 * @param graceMs returns how long the work may continue after the caller cancels, in milliseconds. Called when the caller
 *   cancels. Default 0.
 */
export function startDeadline(
  outer: AbortSignal,
  timeoutMs: number,
  graceMs: () => number = () => 0,
): Deadline {
  const controller = new AbortController();
  let reason: 'canceled' | 'timeout' | null = null;
  const fall = (why: 'canceled' | 'timeout') => {
    if (controller.signal.aborted) return;
    reason = why;
    controller.abort();
  };
  let grace: NodeJS.Timeout | undefined;
  const onOuter = () => {
    const ms = graceMs();
    if (ms > 0) grace = setTimeout(() => fall('canceled'), ms);
    else fall('canceled');
  };
  const timer = setTimeout(() => fall('timeout'), Math.min(Math.max(timeoutMs, 0), maxTimerMs));
  outer.addEventListener('abort', onOuter, { once: true });
  if (outer.aborted) onOuter();
  return {
    signal: controller.signal,
    reason: () => reason,
    stop: () => controller.abort(),
    release: () => {
      clearTimeout(timer);
      clearTimeout(grace);
      outer.removeEventListener('abort', onOuter);
    },
  };
}
