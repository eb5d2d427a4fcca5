import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../src/domain/attempt.ts';
import { withKnownBilling } from '../../../src/domain/error-billing.ts';
import type { Billing, ErrorCode } from '../../../src/domain/errors.ts';
import { type ImageJob, jobError } from '../../../src/domain/image-job.ts';
import { attemptOf, queuedJob } from '../../support/jobs.ts';

const stored = attemptOf({ no: 1, index: 0, state: 'stored', costMicroUsd: 5_970 });
const uncertain = attemptOf({ no: 2, index: 1, state: 'uncertain' });
const free: Partial<Attempt> = { costMicroUsd: 0, settledAt: 5 };
const late: Partial<Attempt> = { state: 'wasted', costMicroUsd: 6_085 };

function failedWith(attempts: Attempt[], code: ErrorCode, facts: { billing: Billing; index?: number }) {
  const { billing, ...index } = facts;
  return { ...queuedJob({ request: { n: 2 } }), attempts, errors: [jobError(code, billing, index)] };
}

/** Returns the billing of the error after the last attempt of a job has changed. */
function billingAfter(job: ImageJob, change: Partial<Attempt>): unknown {
  const attempts = job.attempts.map((each) => (each === job.attempts.at(-1) ? { ...each, ...change } : each));
  return withKnownBilling(job, { ...job, attempts }).errors?.map(({ billing }) => billing);
}

describe('the billing of an error', () => {
  it('follows from the calls for its image, not from those for other images', () => {
    const job = failedWith([stored, uncertain], 'provider_outcome_unknown', {
      billing: 'possible',
      index: 1,
    });
    expect(billingAfter(job, free)).toEqual(['none']);
    expect(billingAfter(job, late)).toEqual(['charged']);
  });

  it('of the whole job follows from all of its calls', () => {
    const job = failedWith([stored, uncertain], 'run_timeout', { billing: 'possible' });
    expect(billingAfter(job, free)).toEqual(['charged']);
  });

  it('becomes `charged` if a late response contradicts a settlement', () => {
    const job = failedWith([{ ...uncertain, ...free }], 'run_timeout', { billing: 'none' });
    const recovered = { ...uncertain, ...late };
    expect(withKnownBilling(job, { ...job, attempts: [recovered] }).errors).toMatchObject([
      { billing: 'charged' },
    ]);
  });

  it('stays `none` for a refused call after an uncertain one, because it describes the refused call', () => {
    const refused = attemptOf({ no: 3, index: 1, state: 'rejected' });
    const job = failedWith([refused, uncertain], 'moderation_blocked', { billing: 'none', index: 1 });
    expect(billingAfter(job, late)).toEqual(['none']);
  });

  it('is not changed by the step that writes the error', () => {
    const job = failedWith([stored, uncertain], 'provider_outcome_unknown', {
      billing: 'possible',
      index: 1,
    });
    const { errors: _errors, ...before } = { ...job, attempts: [stored] };
    expect(withKnownBilling(before, job)).toBe(job);
  });
});
