import { expect } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import type { IdempotencyClaim } from '../../src/domain/ports.ts';
import { createJobStore } from '../../src/outbound/records/job-store.ts';
import { connectTestStore } from './store.ts';

/** Connects a test file to job records in the shared Redis. */
export async function connectRecords() {
  const store = await connectTestStore();
  const records = createJobStore(store.redis, store.keys);
  let tenants = 0;
  return {
    store,
    records,
    /** Returns a tenant without jobs. */
    freshTenant: () => `t${++tenants}`,
    /** Submits a job. Fails the test if the job is not accepted. */
    async submit(job: ImageJob, claim?: IdempotencyClaim, maxOpenJobs = 1_000): Promise<ImageJob> {
      const outcome = await records.submit({ job, claim, maxOpenJobs });
      expect(outcome.kind).toBe('created');
      return job;
    },
  };
}

export const claimOf = (key: string, fingerprint = 'same'): IdempotencyClaim => ({
  keyHash: `hash-of-${key}`,
  fingerprint: `fingerprint-${fingerprint}`,
  ttlMs: 60_000,
});
