/** A signal that falls when the caller gives up or the time is over, whichever is first. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Why the signal fell; `null` while it has not. */
  reason(): 'canceled' | 'timeout' | null;
  /** Makes the signal fall without a reason: whatever still runs is to stop. */
  stop(): void;
  /** Lets go of the timer and of the caller's signal. */
  release(): void;
}

/** Longest delay a timer of Node takes; anything above fires at once. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * Starts a deadline. Unlike `AbortSignal.any` it leaves nothing behind on a signal that lives longer than the call.
 *
 * @param timeoutMs counts from now and covers everything up to `release`.
 * @param graceMs how long the work may go on after the caller gave up, asked when it does; not at all by default.
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
