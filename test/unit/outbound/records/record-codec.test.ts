import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRecord } from '../../../../src/outbound/records/record-codec.ts';
import { encodeVersioned } from '../../../../src/outbound/records/versioned-json.ts';
import { arbitraryJob } from '../../../support/arbitrary-job.ts';
import { queuedJob } from '../../../support/jobs.ts';

describe('the record of a job', () => {
  it('reads a record exactly as it was written, for any content', () => {
    fc.assert(
      fc.property(arbitraryJob, (job) => {
        expect(decodeRecord(job.tenant, job.id, encodeVersioned(job))).toEqual(job);
      }),
    );
  });

  it('writes a record as plain JSON that starts with its version, so that operators and scripts can read it', () => {
    fc.assert(
      fc.property(arbitraryJob, (job) => {
        const text = encodeVersioned(job);
        expect(JSON.parse(text)).toEqual(job);
        expect(text.startsWith(`{"version":${job.version},`)).toBe(true);
      }),
    );
  });

  it('retains fields, kinds, states and codes that a newer release wrote', () => {
    const newer = {
      ...queuedJob(),
      status: 'paused',
      budgetHold: { micro_usd: 5, tiers: ['a'] },
      attempts: [{ no: 1, kind: 'edit', state: 'streaming', index: 0, fence: 1, startedAt: 1, seed: 7 }],
      history: [{ at: 1, status: 'paused', reason: 'budget' }],
    };
    expect(decodeRecord(newer.tenant, newer.id, encodeVersioned(newer))).toEqual(newer);
  });

  const job = queuedJob({ tenant: 'acme', id: 'img_1' });
  it.each([
    '',
    '1',
    'null',
    '[]',
    '{"version":1',
    '{"version":1}',
    encodeVersioned({ ...job, status: 1 } as never),
    encodeVersioned({ ...job, images: {} } as never),
    encodeVersioned({ ...job, attempts: [null] } as never),
    encodeVersioned({ ...job, errors: 'none' } as never),
    encodeVersioned(queuedJob({ tenant: 'acme', id: 'img_2' })),
    encodeVersioned(queuedJob({ tenant: 'other', id: 'img_1' })),
  ])('refuses the stored text %j and names the record', (text) => {
    expect(() => decodeRecord('acme', 'img_1', text)).toThrow('The record of img_1 cannot be read.');
  });
});
