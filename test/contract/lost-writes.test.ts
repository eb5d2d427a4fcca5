import { expect, it } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { withHold } from '../../src/domain/job-money.ts';
import { addImage, beginRun } from '../../src/domain/job-moves.ts';
import { createJobStore } from '../../src/outbound/records/job-store.ts';
import { createJobRun } from '../../src/usecases/generation/job-run.ts';
import type { UpdateJob } from '../../src/usecases/jobs/update-job.ts';
import { createdAt, imageOf, queuedJob } from '../support/jobs.ts';
import { takeSnapshot } from '../support/redis-snapshot.ts';
import { connectTestStore, freshTenant } from '../support/store.ts';

const { redis, prefix, keys } = await connectTestStore();
const records = createJobStore(redis, keys);

const updateJob: UpdateJob = (key, change, known) =>
  records.update(
    key,
    (before) => {
      const after = change(before);
      return after && after !== before ? { job: withHold(after) } : null;
    },
    known ? { known } : {},
  );

/** Begins a run of a new job for two images. Keeps the state of Redis after each step. */
async function begun() {
  const job = queuedJob({ tenant: freshTenant(), request: { n: 2 } });
  await records.submit({ job: withHold({ ...job, callBounds: { image: 100 } }), maxOpenJobs: 10 });
  const key = { tenant: job.tenant, id: job.id };
  const snapshot = () => takeSnapshot(redis, `${prefix}:{${job.tenant}}`);
  const restoreQueued = await snapshot();
  const taken = (await updateJob(key, (now) => beginRun(now, createdAt))) as ImageJob;
  const restoreBegun = await snapshot();
  const options = { stop: new AbortController().signal, sleep: async () => {} };
  const run = createJobRun(taken, { updateJob, updateWithinBudgets: updateJob }, options);
  const stored = async () => (await records.get(key.tenant, key.id)) as ImageJob;
  const held = () => redis.hget(keys.spend(job.tenant), 't.total.held');
  return { run, key, stored, held, restoreQueued, restoreBegun };
}

const call = { kind: 'generate', stage: 'generating', provider: 'studio' } as const;

it.each(['restoreQueued', 'restoreBegun'] as const)(
  'a run writes again what Redis lost, with the holds of its calls (%s)',
  async (restore) => {
    const made = await begun();
    const { run } = made;
    await run.openAttempt({ ...call, index: 0 }, createdAt);
    await run.openAttempt({ ...call, index: 1 }, createdAt);
    await run.update((job) => addImage(job, imageOf(job, 0), createdAt));
    const seen = await made.stored();
    await made[restore]();

    await run.updateAttempt(2, { state: 'received', receivedAt: createdAt + 5 });
    const job = await made.stored();
    expect(job).toMatchObject({
      status: 'running',
      fence: 1,
      images: [{ index: 0 }],
      attempts: [
        { no: 1, state: 'calling' },
        { no: 2, state: 'received' },
      ],
    });
    expect(job.version).toBeGreaterThan(seen.version);
    expect(Number(await made.held())).toBe(job.hold);
    expect(await redis.zscore(keys.status(job.tenant, 'running'), job.id)).not.toBeNull();
    expect(await redis.zscore(keys.status(job.tenant, 'queued'), job.id)).toBeNull();
  },
);

it('a run whose beginning Redis lost cannot write into the run that began after it', async () => {
  const { run, key, stored, restoreQueued } = await begun();
  await run.openAttempt({ ...call, index: 0 }, createdAt);
  await restoreQueued();
  await updateJob(key, (now) => beginRun(now, createdAt + 1));
  await expect(run.updateAttempt(1, { state: 'received' })).rejects.toMatchObject({
    code: 'already_terminal',
  });
  expect((await stored()).attempts).toEqual([]);
});
