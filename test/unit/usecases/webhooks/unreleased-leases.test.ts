import { describe, expect, it } from 'vitest';
import { createUnreturnedRights } from '../../../../src/usecases/webhooks/unreleased-leases.ts';

describe('a right that could not be given back', () => {
  function rights() {
    let nowMs = 0;
    const passTime = (ms: number) => {
      nowMs += ms;
    };
    return { ...createUnreturnedRights(() => nowMs, 1_000), passTime };
  }

  it('goes to one caller and to no second one', () => {
    const { leave, takeOver } = rights();
    leave('a', 'run-1');
    expect(takeOver('b')).toBeUndefined();
    expect(takeOver('a')).toBe('run-1');
    expect(takeOver('a')).toBeUndefined();
  });

  it('is forgotten when its lease is over, but not when it was left again since', () => {
    const { leave, takeOver, passTime } = rights();
    leave('a', 'run-1');
    leave('b', 'run-2');
    passTime(600);
    leave('a', 'run-3');
    passTime(400);
    expect(takeOver('b')).toBeUndefined();
    expect(takeOver('a')).toBe('run-3');
  });
});
