import { describe, expect, it } from 'vitest';
import { createUnreleasedLeases } from '../../../../src/usecases/webhooks/unreleased-leases.ts';

describe('a right that could not be given back', () => {
  function leases() {
    let nowMs = 0;
    const passTime = (ms: number) => {
      nowMs += ms;
    };
    return { ...createUnreleasedLeases(() => nowMs, 1_000), passTime };
  }

  it('goes to one caller and to no second one', () => {
    const { leave, takeOver } = leases();
    leave('a', 'run-1');
    expect(takeOver('b')).toBeUndefined();
    expect(takeOver('a')).toBe('run-1');
    expect(takeOver('a')).toBeUndefined();
  });

  it('is forgotten when its lease is over, but not when it was left again since', () => {
    const { leave, takeOver, passTime } = leases();
    leave('a', 'run-1');
    leave('b', 'run-2');
    passTime(600);
    leave('a', 'run-3');
    passTime(400);
    expect(takeOver('b')).toBeUndefined();
    expect(takeOver('a')).toBe('run-3');
  });
});
