interface Clocks {
  /** Returns the milliseconds since the epoch. */
  readonly wallMs: () => number;
  /** Returns the milliseconds since any fixed moment. */
  readonly monotonicMs: () => number;
}

const checkMs = 1_000;
/** Minimum step that is reported, in milliseconds. A time service that only slows the clock down takes hours for it. */
const minStepMs = 1_000;

/**
 * Watches the system clock, and reports within a second that it was set back, and by how many milliseconds. A machine that
 * boots with a wrong clock, and a restored virtual machine, get the right time in such a step.
 *
 * @returns a function that ends the watch.
 */
export function watchClock(
  onSetBack: (byMs: number) => void,
  { wallMs, monotonicMs }: Clocks = { wallMs: Date.now, monotonicMs: () => performance.now() },
): () => void {
  const offset = () => wallMs() - monotonicMs();
  let before = offset();
  const timer = setInterval(() => {
    const now = offset();
    const byMs = before - now;
    before = now;
    if (byMs >= minStepMs) onSetBack(byMs);
  }, checkMs);
  timer.unref();
  return () => clearInterval(timer);
}
