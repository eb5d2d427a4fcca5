import { getEventListeners, once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { startDeadline } from '../../../src/lib/deadline.ts';

describe('a deadline', () => {
  it('aborts a call at its deadline with a timeout as the reason', async () => {
    const deadline = startDeadline(new AbortController().signal, 5);
    await once(deadline.signal, 'abort');
    expect(deadline.reason()).toBe('timeout');
    deadline.release();
  });

  it('aborts a call with the signal of the caller and its reason', () => {
    const caller = new AbortController();
    const deadline = startDeadline(caller.signal, 60_000);
    expect(deadline.signal.aborted).toBe(false);
    caller.abort();
    expect(deadline.signal.aborted).toBe(true);
    expect(deadline.reason()).toBe('canceled');
    deadline.release();
  });

  it('aborts from the start if the caller has already aborted', () => {
    const deadline = startDeadline(AbortSignal.abort(), 60_000);
    expect(deadline.signal.aborted).toBe(true);
    expect(deadline.reason()).toBe('canceled');
    deadline.release();
  });

  it('leaves no listener on the signal of the caller', () => {
    const caller = new AbortController();
    const deadline = startDeadline(caller.signal, 60_000);
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(1);
    deadline.release();
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
  });

  it('lets work that must not stop immediately continue for a grace period after the caller aborts', async () => {
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

  it('does not abort immediately with a deadline of a month', async () => {
    const deadline = startDeadline(new AbortController().signal, 31 * 24 * 3600 * 1000);
    // A delay above the maximum of a timer would fire after one millisecond.
    const short = startDeadline(new AbortController().signal, 3);
    await once(short.signal, 'abort');
    short.release();
    expect(deadline.signal.aborted).toBe(false);
    deadline.release();
  });
});
