import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ImageJob } from '../../../../src/domain/image-job.ts';
import { decodeRecord, encodeRecord } from '../../../../src/outbound/records/record-codec.ts';
import { arbitraryJob } from '../../../support/arbitrary-job.ts';
import { finishedJob, queuedJob } from '../../../support/jobs.ts';

describe('a record as text', () => {
  it('comes back as it was, whatever is in it', () => {
    fc.assert(
      fc.property(arbitraryJob, (job) => {
        expect(ImageJob.parse(job)).toEqual(job);
        expect(decodeRecord(job.tenant, job.id, encodeRecord(job))).toEqual(job);
      }),
    );
  });

  it('starts with its version, so that a script can compare it', () => {
    expect(encodeRecord({ ...queuedJob(), version: 12 })).toMatch(/^12 /);
  });

  it.each(['', '1', '1 ', '1 {', '1 {"status":"unheard of"}', '1 null', '1 []'])(
    '%j is refused by name instead of being shown',
    (text) => {
      expect(() => decodeRecord('acme', 'img_1', text)).toThrow('The record of img_1 cannot be read.');
    },
  );

  it('holds neither tenant nor id, which its key already says', () => {
    const job = finishedJob(queuedJob({ tenant: 'tenant-name' }));
    const withoutImages = encodeRecord({ ...job, images: [] });
    expect(withoutImages).not.toContain('tenant-name');
    expect(withoutImages).not.toContain(job.id);
  });
});
