import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ImageJob } from '/work/main/src/domain/image-job.ts';
import { decodeRecord, encodeRecord } from '/work/main/src/outbound/records/record-codec.ts';
import { arbitraryJob } from '/work/main/test/support/arbitrary-job.ts';
it('x', () => { const r = fc.check(fc.property(arbitraryJob, (job) => {
  expect(ImageJob.parse(job)).toEqual(job);
  expect(decodeRecord(job.tenant, job.id, encodeRecord(job))).toEqual(job);
}), { numRuns: 8000 }); console.log(r.failed, r.numRuns, String(r.errorInstance).slice(0, 1500)); console.dir(r.counterexample, { depth: 9 }); });
