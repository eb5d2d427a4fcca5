import { expect, it } from 'vitest';
import { connectCore } from '../support/core.ts';
import { createdAt, queuedJob } from '../support/jobs.ts';

it('the reconciler re-enqueues a job of a process whose clock is ahead, once it has not changed for a round', async () => {
  const core = await connectCore();
  await core.records.submit({ job: queuedJob(), maxOpenJobs: 10 });
  core.passTime(1);
  await core.reconcile();
  const job = queuedJob({ nowMs: createdAt + 600_000 });
  await core.records.submit({ job, maxOpenJobs: 10 });
  core.passTime(6_000);
  await core.reconcile();
  expect(await core.jobQueue.has([job.id])).toEqual([false]);
  core.passTime(6_000);
  await core.reconcile();
  expect(await core.jobQueue.has([job.id])).toEqual([true]);
});
