import { vi } from 'vitest';

/**
 * Calls a check until it passes, and returns its result. The limit of Vitest is one second, which a busy machine exceeds with
 * work that usually takes milliseconds.
 *
 * @throws the last error of the check after 20 s
 */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 20_000 });
