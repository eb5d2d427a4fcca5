import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusal, TransientError } from '../../../../src/inbound/cli/call-errors.ts';
import { withRetry } from '../../../../src/inbound/cli/retry.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Work that meets trouble so often before it succeeds, and when each try was made. */
function troubled(times: number, outage: () => Error) {
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

describe('patience', () => {
  it('tries again with growing pauses, and says so once', async () => {
    const { result, triesMs, said } = troubled(6, () => new TransientError('It is away'));
    await vi.runAllTimersAsync();
    expect(await result).toBe('done');
    expect(triesMs).toEqual([0, 250, 750, 1_750, 3_750, 7_750, 12_750]);
    expect(said).toEqual(['It is away; trying again']);
  });

  it('stays away for as long as it is asked to', async () => {
    const { result, triesMs } = troubled(1, () => new TransientError('busy', { awayMs: 7_000 }));
    await vi.runAllTimersAsync();
    expect(await result).toBe('done');
    expect(triesMs).toEqual([0, 7_000]);
  });

  it('ends within a minute with the last trouble, and at once where it would have to stay away for longer', async () => {
    const endless = troubled(Number.POSITIVE_INFINITY, () => new TransientError('It is away'));
    await vi.runAllTimersAsync();
    expect(await endless.result).toBeInstanceOf(TransientError);
    expect(endless.triesMs.at(-1)).toBeLessThanOrEqual(60_000);
    expect(endless.triesMs.at(-1)).toBeGreaterThan(50_000);
    const distant = troubled(1, () => new TransientError('busy', { awayMs: 61_000 }));
    expect(await distant.result).toBeInstanceOf(TransientError);
    expect(distant.triesMs).toEqual([0]);
  });

  it('has none with a refusal', async () => {
    const { result, triesMs, said } = troubled(1, () => new Refusal('No.'));
    expect(await result).toBeInstanceOf(Refusal);
    expect({ triesMs, said }).toEqual({ triesMs: [0], said: [] });
  });
});
