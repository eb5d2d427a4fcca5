/**
 * Returns the `Cache-Control` of an image. A cache may keep the image until its link or its retention ends, but not longer.
 *
 * @param maxSeconds maximum, in seconds.
 */
export function imageCaching(expiresAtMs: number, nowMs: number, maxSeconds: number): string {
  const seconds = Math.max(0, Math.floor((expiresAtMs - nowMs) / 1000));
  return `private, max-age=${Math.min(maxSeconds, seconds)}, immutable`;
}
