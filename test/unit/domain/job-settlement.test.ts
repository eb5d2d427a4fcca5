import { describe, expect, it } from 'vitest';
import { billingOf } from '../../../src/domain/attempt.ts';
import { jobError } from '../../../src/domain/image-job.ts';
import { withHold } from '../../../src/domain/job-money.ts';
import { finish } from '../../../src/domain/job-moves.ts';
import { settleCharges } from '../../../src/domain/job-settlement.ts';
import { attemptOf, createdAt, queuedJob, retention } from '../../support/jobs.ts';

const running = withHold({
  ...queuedJob({ nowMs: createdAt }),
  callBounds: { image: 6_120 },
  attempts: [
    attemptOf({ no: 1, state: 'uncertain' }),
    attemptOf({ no: 2, state: 'rejected' }),
    attemptOf({ no: 3, state: 'uncertain' }),
    attemptOf({ no: 4, costMicroUsd: 5_970 }),
  ],
});
const error = jobError('provider_outcome_unknown', 'possible');
const ended = withHold(finish(running, 'failed', { nowMs: createdAt, retention, error }));
const costsOf = (job: typeof ended | null) => job?.attempts.map(({ costMicroUsd }) => costMicroUsd);

describe('a settlement', () => {
  it('divides its sum between all unknown charges, and releases their hold', () => {
    expect(ended.hold).toBe(2 * 6_120);
    const settled = settleCharges(ended, { microUsd: 11_941 }, createdAt + 1);
    expect(costsOf(settled)).toEqual([5_971, undefined, 5_970, 5_970]);
    expect(settled && withHold(settled).hold).toBeUndefined();
  });

  it('settles only the named attempt', () => {
    const settled = settleCharges(ended, { microUsd: 42, attemptNo: 3 }, createdAt + 1);
    expect(costsOf(settled)).toEqual([undefined, undefined, 42, 5_970]);
    expect(settled && withHold(settled).hold).toBe(6_120);
  });

  it('as 0 shows that nothing was charged', () => {
    const { callBounds: _bounds, ...unpaid } = ended;
    const only = { ...unpaid, attempts: [attemptOf({ state: 'uncertain' })] };
    const settled = settleCharges(only, { microUsd: 0 }, createdAt + 1);
    expect(settled && billingOf(settled.attempts)).toBe('none');
  });

  it('changes nothing if it is repeated, and refuses another amount', () => {
    const settled = settleCharges(ended, { microUsd: 100 }, createdAt + 1) ?? ended;
    expect(settleCharges(settled, { microUsd: 100 }, createdAt + 2)).toBeNull();
    expect(() => settleCharges(settled, { microUsd: 101 }, createdAt + 2)).toThrow('is known');
  });

  it('changes nothing if it is repeated after other charges of the job were settled before it', () => {
    const one = settleCharges(ended, { microUsd: 42, attemptNo: 3 }, createdAt + 1) ?? ended;
    const both = settleCharges(one, { microUsd: 100 }, createdAt + 2) ?? ended;
    expect(settleCharges(both, { microUsd: 100 }, createdAt + 3)).toBeNull();
    expect(settleCharges(both, { microUsd: 42, attemptNo: 3 }, createdAt + 3)).toBeNull();
    expect(() => settleCharges(both, { microUsd: 43 }, createdAt + 3)).toThrow('is known');
  });

  it('is refused for a job that has not ended or has no unknown charge', () => {
    expect(() => settleCharges(running, { microUsd: 1 }, createdAt)).toThrow('has not ended');
    const known = { ...ended, attempts: [attemptOf({ costMicroUsd: 5_970 })] };
    expect(() => settleCharges(known, { microUsd: 5_970 }, createdAt)).toThrow('is known');
  });
});
