import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusal, TransientError } from '../../../../src/inbound/cli/call-errors.ts';
import { withRetry } from '../../../../src/inbound/cli/retry.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Retries work that fails `times` times. Returns its result, the times of its attempts and the printed lines. */
function retrying(times: number, outage: () => Error) {
  const startedMs = Date.now();
  const triesMs: number[] = [];
  const said: string[] = [];
  const work = async () => {
    triesMs.push(Date.now() - startedMs);
    if (triesMs.length <= times) throw outage();
    return 'done';
  };
  const result = withRetry(work, (line) => said.push(line)).catch((error: unknown) => error);
  return { result, triesMs, said };
}

describe('withRetry', () => {
  it('retries a temporary failure with growing pauses and prints it once', async () => {
    const { result, triesMs, said } = retrying(6, () => new TransientError('It is unavailable'));
    await vi.runAllTimersAsync();
    expect(await result).toBe('done');
    expect(triesMs).toEqual([0, 250, 750, 1_750, 3_750, 7_750, 12_750]);
    expect(said).toEqual(['It is unavailable. Retrying.']);
  });

  it('waits for the time of Retry-After before the next attempt', async () => {
    const { result, triesMs } = retrying(1, () => new TransientError('busy', { retryAfterMs: 7_000 }));
    await vi.runAllTimersAsync();
    expect(await result).toBe('done');
    expect(triesMs).toEqual([0, 7_000]);
  });

  it('stops retrying after a minute, and immediately if Retry-After is longer', async () => {
    const endless = retrying(Number.POSITIVE_INFINITY, () => new TransientError('It is unavailable'));
    await vi.runAllTimersAsync();
    expect(await endless.result).toBeInstanceOf(TransientError);
    expect(endless.triesMs.at(-1)).toBeLessThanOrEqual(60_000);
    expect(endless.triesMs.at(-1)).toBeGreaterThan(50_000);
    const long = retrying(1, () => new TransientError('busy', { retryAfterMs: 61_000 }));
    expect(await long.result).toBeInstanceOf(TransientError);
    expect(long.triesMs).toEqual([0]);
  });

  it('does not retry a refusal', async () => {
    const { result, triesMs, said } = retrying(1, () => new Refusal('No.'));
    expect(await result).toBeInstanceOf(Refusal);
    expect({ triesMs, said }).toEqual({ triesMs: [0], said: [] });
  });
});
