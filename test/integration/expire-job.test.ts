import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import { beginRun } from '../../src/domain/job-moves.ts';
import { createGetJob } from '../../src/usecases/jobs/get-job.ts';
import { type Core, connectCore } from '../support/core.ts';
import { createdAt, queuedJob } from '../support/jobs.ts';

const waitsMs = 60_000;

async function submitted(core: Core) {
  const job = queuedJob({ request: { queue_ttl_s: waitsMs / 1000 } });
  await core.records.submit({ job, maxOpenJobs: 10 });
  await core.jobQueue.add({ kind: 'run_job', tenant: 'acme', id: job.id }, { priority: 'normal' });
  return job;
}

describe('reading a waiting job', () => {
  it('expires a waiting job at the end of its queue TTL, not a moment earlier, and removes its task', async () => {
    const core = await connectCore();
    const job = await submitted(core);
    core.passTime(waitsMs - 1);
    expect(await core.getJob.get('acme', job.id)).toEqual(job);
    core.passTime(1);
    expect(await core.getJob.get('acme', job.id)).toMatchObject({
      status: 'expired',
      finishedAt: createdAt + waitsMs,
      errors: [{ code: 'queue_timeout', billing: 'none' }],
    });
    expect((await core.records.get('acme', job.id))?.status).toBe('expired');
    expect(await core.jobQueue.has([job.id])).toEqual([false]);
  });

  it('expires a waiting job once even if many callers read it concurrently', async () => {
    const core = await connectCore();
    const job = await submitted(core);
    core.passTime(waitsMs);
    const seen = await Promise.all(Array.from({ length: 20 }, () => core.getJob.get('acme', job.id)));
    expect(seen.map(({ status, history }) => [status, history.length])).toEqual(
      seen.map(() => ['expired', 2]),
    );
  });

  it('shows a job as running if a worker started it in the last moment', async () => {
    const core = await connectCore();
    const job = await submitted(core);
    const late = { ...core.records, get: async () => job };
    await core.change({ tenant: 'acme', id: job.id }, (now) => beginRun(now, createdAt));
    core.passTime(waitsMs);
    const { get } = createGetJob({ ...core, records: late });
    expect((await get('acme', job.id)).status).toBe('running');
  });

  it('shows an expired job unchanged while the store refuses writes', async () => {
    const core = await connectCore();
    const job = await submitted(core);
    core.passTime(waitsMs);
    const expireJob = async () => {
      throw new AppError('store_unavailable');
    };
    expect(await createGetJob({ ...core, expireJob }).get('acme', job.id)).toEqual(job);
  });
});
