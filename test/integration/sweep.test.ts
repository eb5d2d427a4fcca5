import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import { type ImageJob, isTerminal } from '../../src/domain/image-job.ts';
import { beginRun } from '../../src/domain/job-moves.ts';
import { createSweep } from '../../src/usecases/maintenance/sweep.ts';
import { type Core, connectCore } from '../support/core.ts';
import { attemptOf, createdAt, finishedJob, imageOf, queuedJob } from '../support/jobs.ts';

const webhook = { url: 'https://receiver.example/hook' };

async function submitted(core: Core, queue_ttl_s = 60): Promise<ImageJob> {
  const job = queuedJob({ request: { webhook, queue_ttl_s, run_timeout_s: 100, metadata: { a: 'b' } } });
  await core.records.submit({ job, maxOpenJobs: 10_000 });
  await core.jobQueue.add({ kind: 'run_job', tenant: 'acme', id: job.id }, { priority: 'normal' });
  return job;
}

/** Creates a finished job whose image is in the storage. */
async function finished(core: Core): Promise<ImageJob> {
  const job = await submitted(core);
  const ended = await core.change({ tenant: 'acme', id: job.id }, (now) => finishedJob(now));
  for (const image of ended?.images ?? [])
    await core.storage.put(image.storageKey, Buffer.from('image'), image);
  return ended ?? job;
}

const files = async (core: Core) => (await readdir(core.directory, { recursive: true })).length;

describe('the sweep', () => {
  it('expires a job exactly at its queue TTL and removes its task', async () => {
    const core = await connectCore();
    const job = await submitted(core, 60);
    core.passTime(59_999);
    await core.sweep();
    expect(await core.records.get('acme', job.id)).toEqual(job);
    core.passTime(1);
    await core.sweep();
    expect(await core.records.get('acme', job.id)).toMatchObject({
      status: 'expired',
      errors: [{ code: 'queue_timeout', billing: 'none' }],
    });
    expect(await core.jobQueue.has([job.id])).toEqual([false]);
    const eventWritten = await core.events.listUndispatched('acme', {
      beforeMs: createdAt + 61_000,
      limit: 10,
    });
    expect(eventWritten.map((id) => id.replace(/^.*_/, ''))).toEqual(['expired']);
  });

  it('fails a job past its run timeout and reports the known charges', async () => {
    const core = await connectCore();
    const job = await submitted(core);
    await core.change({ tenant: 'acme', id: job.id }, (now) => ({
      ...beginRun(now, createdAt),
      attempts: [attemptOf({ state: 'calling' })],
    }));
    core.passTime(100_000);
    await core.sweep();
    expect((await core.records.get('acme', job.id))?.status).toBe('running');
    core.passTime(30_000);
    await core.sweep();
    expect(await core.records.get('acme', job.id)).toMatchObject({
      status: 'failed',
      errors: [{ code: 'run_timeout', billing: 'possible' }],
    });
  });

  it('keeps stored images of a job past its run timeout and reports why the others are missing', async () => {
    const core = await connectCore();
    const job = queuedJob({ request: { n: 3, run_timeout_s: 100 } });
    await core.records.submit({ job, maxOpenJobs: 10 });
    await core.change({ tenant: 'acme', id: job.id }, (now) => ({
      ...beginRun(now, createdAt),
      images: [imageOf(job, 1)],
    }));
    core.passTime(130_000);
    await core.sweep();
    const after = await core.records.get('acme', job.id);
    expect(after).toMatchObject({ status: 'succeeded', images: [{ index: 1 }] });
    expect(after?.errors?.map(({ code, index }) => [code, index])).toEqual([
      ['run_timeout', 0],
      ['run_timeout', 2],
    ]);
  });

  it('ends jobs at their deadlines while the storage hangs at the files of another job', async () => {
    const core = await connectCore();
    const stored = await finished(core);
    core.passTime((stored.mediaExpiresAt ?? 0) - createdAt);
    const waiting = queuedJob({ request: { queue_ttl_s: 60 }, nowMs: core.clock() });
    await core.records.submit({ job: waiting, maxOpenJobs: 10 });
    core.passTime(60_000);
    let release = () => {};
    const remove = () => new Promise<void>((resolve) => (release = resolve));
    const sweep = createSweep({ ...core, storage: { ...core.storage, remove } });
    let hasPurged = false;
    const purging = sweep('retention').then(() => {
      hasPurged = true;
    });
    await sweep('deadlines');
    expect(await core.records.get('acme', waiting.id)).toMatchObject({ status: 'expired' });
    expect(hasPurged).toBe(false);
    const released = setInterval(() => release(), 5);
    await purging;
    clearInterval(released);
    expect(await core.records.get('acme', stored.id)).toMatchObject({ mediaGone: true });
  });

  it('skips a job that started running after the sweep listed it', async () => {
    const core = await connectCore();
    const job = await submitted(core);
    await core.change({ tenant: 'acme', id: job.id }, (now) => beginRun(now, createdAt));
    const sweep = createSweep({ ...core, records: { ...core.records, dueJobs: async () => [job.id] } });
    await sweep();
    expect((await core.records.get('acme', job.id))?.status).toBe('running');
  });

  it('removes images first and the record later, and leaves no key but the counters of money', async () => {
    const core = await connectCore();
    const job = await finished(core);
    expect(await files(core)).toBeGreaterThan(0);
    core.passTime((job.mediaExpiresAt ?? 0) - createdAt - 1);
    await core.sweep();
    expect(await core.records.get('acme', job.id)).toEqual(job);
    core.passTime(1);
    await core.sweep();
    expect(await core.records.get('acme', job.id)).toMatchObject({
      status: 'succeeded',
      images: [],
      mediaGone: true,
      attempts: job.attempts,
    });
    expect(
      (await readdir(core.directory, { recursive: true })).filter((name) => name.includes('.png')),
    ).toEqual([]);
    core.passTime((job.recordExpiresAt ?? 0) - (job.mediaExpiresAt ?? 0));
    await core.sweep();
    expect(await core.records.get('acme', job.id)).toBeNull();
    const left = (await core.redis.keys(`${core.prefix}*`))
      .map((key) => key.slice(core.prefix.length))
      .toSorted();
    expect(left).toEqual([':tenants', ':{acme}:spend']);
  });

  it('applies every change once if several sweeps run at the same time', async () => {
    const core = await connectCore();
    const jobs = await Promise.all(Array.from({ length: 30 }, () => submitted(core)));
    core.passTime(60_000);
    await Promise.all([core.sweep(), core.sweep(), core.sweep()]);
    const after = await Promise.all(jobs.map((job) => core.records.get('acme', job.id)));
    expect(after.map((job) => job?.history.length)).toEqual(jobs.map(() => 2));
    expect(
      await core.events.listUndispatched('acme', { beforeMs: createdAt + 61_000, limit: 100 }),
    ).toHaveLength(30);
  });

  it('processes more jobs than fit into one page', async () => {
    const core = await connectCore();
    await Promise.all(Array.from({ length: 250 }, () => submitted(core)));
    core.passTime(60_000);
    await core.sweep();
    expect(await core.records.countOpen('acme')).toBe(0);
  });

  it('continues its other work while the storage is down', async () => {
    const core = await connectCore();
    const old = await Promise.all(Array.from({ length: 220 }, () => finished(core)));
    const young = queuedJob({ nowMs: createdAt + 3_600_000, request: { queue_ttl_s: 60 } });
    await core.records.submit({ job: young, maxOpenJobs: 10_000 });
    core.passTime(3_700_000);
    let asked = 0;
    const remove = async () => {
      asked += 1;
      throw new AppError('storage_unavailable');
    };
    await createSweep({ ...core, storage: { ...core.storage, remove } })();
    expect((await core.records.get('acme', young.id))?.status).toBe('expired');
    expect(asked).toBeLessThan(old.length);
    await core.sweep();
    const after = await Promise.all(old.map((job) => core.records.get('acme', job.id)));
    expect(after.every((job) => job?.mediaGone)).toBe(true);
  });

  it('continues its other work if a record is unreadable', async () => {
    const core = await connectCore();
    const [broken, other] = [await submitted(core, 10), await submitted(core, 20)];
    await core.redis.set(`${core.prefix}:{acme}:job:${broken.id}`, '1 nonsense');
    core.passTime(60_000);
    await core.sweep();
    expect((await core.records.get('acme', other.id))?.status).toBe('expired');
  });

  it('continues with other tenants if the list of one tenant is unreadable, and reports the failure', async () => {
    const core = await connectCore();
    const tenants = ['ada', 'bob', 'cleo'];
    const jobs = tenants.map((tenant) => queuedJob({ tenant, request: { queue_ttl_s: 60 } }));
    for (const job of jobs) await core.records.submit({ job, maxOpenJobs: 10 });
    await core.redis.unlink(`${core.prefix}:{bob}:due`);
    await core.redis.set(`${core.prefix}:{bob}:due`, 'nonsense');
    core.passTime(60_000);
    await expect(core.sweep()).rejects.toThrow();
    const after = await Promise.all(jobs.map((job) => core.records.get(job.tenant, job.id)));
    expect(after.map((job) => job?.status)).toEqual(['expired', 'queued', 'expired']);
  });

  it('completes although records of listed jobs are missing', async () => {
    const core = await connectCore();
    const jobs = await Promise.all(Array.from({ length: 250 }, () => submitted(core)));
    const lost = jobs.slice(0, 240);
    await core.redis.unlink(...lost.map((job) => `${core.prefix}:{acme}:job:${job.id}`));
    core.passTime(60_000);
    await core.sweep();
    const kept = await Promise.all(jobs.slice(240).map((job) => core.records.get('acme', job.id)));
    expect(kept.every((job) => job && isTerminal(job.status))).toBe(true);
  });
});
