import { describe, expect, it } from 'vitest';
import { createUnreleasedLeases } from '../../../../src/usecases/webhooks/unreleased-leases.ts';

describe('a lease that could not be released', () => {
  function leases() {
    let nowMs = 0;
    const passTime = (ms: number) => {
      nowMs += ms;
    };
    return { ...createUnreleasedLeases(() => nowMs, 1_000), passTime };
  }

  it('lends an unreleased lease to one run and not to a second one', () => {
    const { add, reuse } = leases();
    add('a', 'run-1');
    expect(reuse('b')).toBeUndefined();
    expect(reuse('a')).toBe('run-1');
    expect(reuse('a')).toBeUndefined();
  });

  it('drops an unreleased lease when it expires, unless it was added again since', () => {
    const { add, reuse, passTime } = leases();
    add('a', 'run-1');
    add('b', 'run-2');
    passTime(600);
    add('a', 'run-3');
    passTime(400);
    expect(reuse('b')).toBeUndefined();
    expect(reuse('a')).toBe('run-3');
  });
});
