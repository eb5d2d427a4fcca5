import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeRecord } from '../../../../src/outbound/records/record-codec.ts';
import { restore, shorten } from '../../../../src/outbound/records/short-text.ts';
import { arbitraryJob } from '../../../support/arbitrary-job.ts';
import { finishedJob, queuedJob } from '../../../support/jobs.ts';

describe('short text', () => {
  it('leads back to the same JSON, for any record and any other value', () => {
    fc.assert(
      fc.property(fc.oneof(arbitraryJob, fc.jsonValue()), (value) => {
        const json = JSON.stringify(value);
        expect(restore(shorten(json))).toBe(json);
      }),
    );
  });

  it('leads back although a caller writes what looks like a part of a record', () => {
    const prompt = '{"at":1,"status":"queued"} \u0001 \u001c0 \\"stage\\":\\"';
    const json = JSON.stringify({ prompt, nested: JSON.stringify({ prompt }) });
    expect(restore(shorten(json))).toBe(json);
  });

  it('is less than half of what a finished job takes in full', () => {
    const job = finishedJob(queuedJob());
    expect(encodeRecord(job).length).toBeLessThan(JSON.stringify(job).length / 2);
  });

  it('reads what earlier releases wrote: no fragment ever changes its place', () => {
    const all = restore(
      [...Array(27).keys()]
        .map((i) => String.fromCharCode(1 + i))
        .concat([...Array(35).keys()].map((i) => `\u001c${String.fromCharCode(0x30 + i)}`))
        .join(' '),
    );
    expect(createHash('sha256').update(all).digest('hex')).toBe(
      '0ebb1c234368633e41f428dcbd2e432014becbcc7455734532f959c19ecf7ca5',
    );
  });

  it('refuses a code that it does not know instead of leaving it out', () => {
    expect(() => restore(`{${String.fromCharCode(0x1c)}~`)).toThrow('newer release');
  });
});
