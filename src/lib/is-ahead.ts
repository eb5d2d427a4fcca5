/**
 * Returns whether a time is in the future and at most a duration away. If the clock was set back, earlier times are further
 * away: they would last for hours otherwise.
 */
export function isAhead(untilMs: number, nowMs: number, longestMs: number): boolean {
  return untilMs > nowMs && untilMs - nowMs <= longestMs;
}
