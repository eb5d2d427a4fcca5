import { getEventListeners, once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { startDeadline } from '../../../../../../src/outbound/providers/openai/client/deadline.ts';

describe('a deadline', () => {
  it('falls when the time is over and says so', async () => {
    const deadline = startDeadline(new AbortController().signal, 5);
    await once(deadline.signal, 'abort');
    expect(deadline.reason()).toBe('timeout');
    deadline.release();
  });

  it('falls with the signal of the caller and says so', () => {
    const caller = new AbortController();
    const deadline = startDeadline(caller.signal, 60_000);
    expect(deadline.signal.aborted).toBe(false);
    caller.abort();
    expect(deadline.signal.aborted).toBe(true);
    expect(deadline.reason()).toBe('canceled');
    deadline.release();
  });

  it('has fallen from the start when the caller had given up before', () => {
    const deadline = startDeadline(AbortSignal.abort(), 60_000);
    expect(deadline.signal.aborted).toBe(true);
    expect(deadline.reason()).toBe('canceled');
    deadline.release();
  });

  it('leaves nothing behind on the signal of the caller', () => {
    const caller = new AbortController();
    const deadline = startDeadline(caller.signal, 60_000);
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(1);
    deadline.release();
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
  });

  it('lets work that must not be broken off at once go on for a while after the caller gave up', async () => {
    const caller = new AbortController();
    let asked = 0;
    const deadline = startDeadline(caller.signal, 60_000, () => {
      asked += 1;
      return 5;
    });
    caller.abort();
    expect(deadline.signal.aborted).toBe(false);
    await once(deadline.signal, 'abort');
    expect(deadline.reason()).toBe('canceled');
    expect(asked).toBe(1);
    deadline.release();
  });

  it('of a month does not fall at once', async () => {
    const deadline = startDeadline(new AbortController().signal, 31 * 24 * 3600 * 1000);
    // A delay above what a timer takes would fire after one millisecond.
    const short = startDeadline(new AbortController().signal, 3);
    await once(short.signal, 'abort');
    short.release();
    expect(deadline.signal.aborted).toBe(false);
    deadline.release();
  });
});
