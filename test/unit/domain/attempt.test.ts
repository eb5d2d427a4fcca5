import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addAttempt,
  attemptStates,
  billingOf,
  finalizeAttempt,
  nextAttemptNo,
  patchAttempt,
  paymentsFor,
  withCall,
} from '../../../src/domain/attempt.ts';
import { attemptOf } from '../../support/jobs.ts';

const states = fc.array(fc.constantFrom(...attemptStates), { maxLength: 120 });

describe('the ledger of a job', () => {
  it('never drops an attempt that may have cost money, however many are added', () => {
    fc.assert(
      fc.property(states, (given) => {
        let ledger: ReturnType<typeof addAttempt> = [];
        given.forEach((state) => {
          ledger = addAttempt(ledger, attemptOf({ no: nextAttemptNo(ledger), state }));
        });
        expect(ledger.filter(({ state }) => state !== 'rejected')).toHaveLength(
          given.filter((state) => state !== 'rejected').length,
        );
      }),
    );
  });

  it('restores the row of a call that the store lost, under a new number if another call has its number', () => {
    const call = attemptOf({ no: 1, state: 'calling', startedAt: 1_000 });
    const other = attemptOf({ no: 1, startedAt: 2_000 });
    expect(withCall([call], { ...call, state: 'received' })).toEqual({ attempts: [call], row: call });
    expect(withCall([], call)).toEqual({ attempts: [call], row: call });
    const renamed = { ...call, no: 2 };
    expect(withCall([other], call)).toEqual({ attempts: [other, renamed], row: renamed });
    expect(withCall([other, renamed], call)).toEqual({ attempts: [other, renamed], row: renamed });
  });

  it('keeps the settlement of a call whose late response reports no usage, and replaces it by a known cost', () => {
    const settled = [attemptOf({ state: 'uncertain', costMicroUsd: 0, settledAt: 5 })];
    const unknown = finalizeAttempt(settled, 1, { state: 'wasted', finishedAt: 9 });
    expect(unknown).toMatchObject([{ state: 'wasted', costMicroUsd: 0, settledAt: 5 }]);
    expect(billingOf(unknown)).toBe('none');
    const known = finalizeAttempt(settled, 1, { state: 'wasted', finishedAt: 9, costMicroUsd: 42 });
    expect(known).toMatchObject([{ costMicroUsd: 42 }]);
    expect(known[0]).not.toHaveProperty('settledAt');
  });

  it('never reuses an attempt number, although refused attempts are removed', () => {
    fc.assert(
      fc.property(states, (given) => {
        const numbers = new Set<number>();
        let ledger: ReturnType<typeof addAttempt> = [];
        for (const state of given) {
          const no = nextAttemptNo(ledger);
          expect(numbers.has(no)).toBe(false);
          numbers.add(no);
          ledger = addAttempt(ledger, attemptOf({ no, state: 'calling' }));
          ledger = patchAttempt(ledger, no, { state });
        }
      }),
    );
  });

  it('limits the ledger size under any number of refusals', () => {
    let ledger: ReturnType<typeof addAttempt> = [];
    for (let i = 0; i < 500; i++)
      ledger = addAttempt(ledger, attemptOf({ no: nextAttemptNo(ledger), state: 'rejected' }));
    expect(ledger).toHaveLength(40);
    expect(ledger.at(-1)?.no).toBe(500);
  });

  it('counts paid attempts per image, without refusals and enhancements', () => {
    const ledger = [
      attemptOf({ no: 1, state: 'rejected' }),
      attemptOf({ no: 2, state: 'uncertain' }),
      attemptOf({ no: 3, state: 'calling' }),
      attemptOf({ no: 4, state: 'stored', index: 1 }),
      attemptOf({ no: 5, state: 'stored', kind: 'enhance' }),
    ];
    expect(paymentsFor(ledger, 0)).toBe(2);
    expect(paymentsFor(ledger, 1)).toBe(1);
    expect(paymentsFor(ledger, 2)).toBe(0);
  });
});

describe('the known charges of a job', () => {
  it.each([
    [[], 'none'],
    [['rejected', 'rejected'], 'none'],
    [['rejected', 'calling'], 'possible'],
    [['uncertain'], 'possible'],
    [['unusable'], 'possible'],
    [['received'], 'charged'],
    [['uncertain', 'stored'], 'charged'],
  ] as const)('derives from attempts %j the billing %s', (states, billing) => {
    expect(billingOf(states.map((state, i) => attemptOf({ no: i + 1, state })))).toBe(billing);
  });

  it('counts an unusable response with reported usage as charged', () => {
    expect(billingOf([attemptOf({ state: 'unusable', charged: true })])).toBe('charged');
  });
});
