import { useEffect, useState } from 'preact/hooks';

/** Difference in milliseconds that the resolution of the `Date` header and the way of a response explain. */
const toleranceMs = 5_000;
let offsetMs = 0;

/** Sets the clock by the `Date` header of a response. The clock of the browser may be wrong by days. */
export function noteServerTime(date: string | null): void {
  const difference = Date.parse(date ?? '') - Date.now();
  if (Number.isFinite(difference)) offsetMs = Math.abs(difference) > toleranceMs ? difference : 0;
}

/** Returns the time of the server in milliseconds, again after each period while it is counted. */
export function useServerNow(isCounting: boolean, everyMs: number): number {
  const [, tick] = useState(0);
  useEffect(() => {
    if (!isCounting) return;
    const timer = setInterval(() => tick((count) => count + 1), everyMs);
    return () => clearInterval(timer);
  }, [isCounting, everyMs]);
  return Date.now() + offsetMs;
}
