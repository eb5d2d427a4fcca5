import { expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/errors.ts';
import type { ImageJob } from '../../../../src/domain/image-job.ts';
import { createAcceptJob } from '../../../../src/usecases/jobs/accept-job.ts';
import { queuedJob } from '../../../support/jobs.ts';
import { caller } from '../../../support/submission.ts';

type Deps = Parameters<typeof createAcceptJob>[0];

/** Submits a job to a store that does not confirm the write. Returns the jobs that are canceled then. */
async function canceledWithoutConfirmation(isRepeatable: boolean): Promise<ImageJob[]> {
  const canceled: ImageJob[] = [];
  const deps: Pick<Deps, 'records' | 'cancelUnconfirmed' | 'policy'> = {
    records: { submit: () => Promise.reject(new AppError('store_unavailable')) },
    cancelUnconfirmed: (job) => void canceled.push(job),
    policy: { maxOpenJobsPerTenant: 10, storage: { maxRecords: 10, maxBytes: 10_000 } },
  };
  const acceptJob = createAcceptJob(deps as Deps);
  const terms = { claim: undefined, isRepeatable, caller, queueLimits: [], estimate: null };
  await expect(acceptJob(queuedJob(), terms)).rejects.toMatchObject({ code: 'store_unavailable' });
  return canceled;
}

it('a job that the store did not confirm is canceled if no repeated request can find it', async () => {
  expect(await canceledWithoutConfirmation(false)).toHaveLength(1);
});

it('a job that the store did not confirm is not canceled if a repeated request finds it', async () => {
  expect(await canceledWithoutConfirmation(true)).toEqual([]);
});
