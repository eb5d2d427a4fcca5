import { describe, expect, it, onTestFinished } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { beginRun } from '../../src/domain/job-moves.ts';
import { whenRedisReady } from '../../src/lib/redis/redis.ts';
import { createCancelUnconfirmedJob } from '../../src/usecases/jobs/cancel-unconfirmed-job.ts';
import { connectCore } from '../support/core.ts';
import { eventually } from '../support/eventually.ts';
import { queuedJob } from '../support/jobs.ts';
import { startTestRedis } from '../support/redis.ts';

/**
 * Connects a core to a Redis of its own. The test starts the rounds of lookups, and half a second passes in each
 * round.
 */
async function connectAbandoning() {
  const store = await startTestRedis();
  onTestFinished(() => store.stop());
  const core = await connectCore({ recordsAddress: store.path, queueAddress: store.path });
  let allowed = 0;
  let rounds = 0;
  let goOn = () => {};
  let onIdle = () => {};
  let draining = false;
  const abandon = createCancelUnconfirmedJob({
    ...core,
    isDraining: () => draining,
    async sleep(ms) {
      await new Promise(setImmediate);
      if (allowed === 0) {
        onIdle();
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
      }
      allowed -= 1;
      rounds += 1;
      core.passTime(ms);
    },
  });
  return {
    ...core,
    store,
    abandon,
    rounds: () => rounds,
    drain() {
      draining = true;
    },
    /** Allows the given number of rounds. Resolves after them if unconfirmed jobs remain. */
    async runRounds(count: number) {
      const idle = new Promise<void>((resolve) => {
        onIdle = resolve;
      });
      allowed = count;
      goOn();
      await idle;
    },
    write: (job: ImageJob) => core.records.submit({ job, maxOpenJobs: 99 }),
    statusOf: async (job: ImageJob) => (await core.records.get(job.tenant, job.id))?.status,
  };
}

describe('a job that the store may have written although its caller received 503', () => {
  it('cancels an unconfirmed job when a hanging store recovers, and enqueues no task, regardless of its age', async () => {
    const core = await connectAbandoning();
    await core.write(queuedJob());
    await core.reconcile();
    core.passTime(1_000);
    const job = queuedJob({ nowMs: core.clock() });
    core.store.pause();
    await expect(core.write(job)).rejects.toMatchObject({ code: 'store_unavailable' });
    core.abandon(job);
    core.passTime(60_000);
    core.store.resume();
    await expect.poll(() => core.statusOf(job).catch(() => null), { timeout: 10_000 }).toBe('queued');
    await core.reconcile();
    expect(await core.jobQueue.has([job.id])).toEqual([false]);
    void core.runRounds(1);
    await expect.poll(() => core.statusOf(job)).toBe('canceled');
    await core.reconcile();
    expect(await core.jobQueue.has([job.id])).toEqual([false]);
  });

  it('looks up unconfirmed jobs during an outage of any length, even if there are many', async () => {
    const core = await connectAbandoning();
    const jobs = Array.from({ length: 120 }, () => queuedJob());
    await core.store.kill9();
    for (const job of jobs) core.abandon(job);
    await core.runRounds(200);
    await core.store.restart();
    await whenRedisReady(core.redis, 10_000);
    const written = jobs.slice(80);
    for (const job of written) await core.write(job);
    await core.runRounds(1);
    expect(await Promise.all(written.map(core.statusOf))).toEqual(written.map(() => 'canceled'));
  });

  it('cancels an unconfirmed job if a broken connection delivers it later', async () => {
    const core = await connectAbandoning();
    const job = queuedJob();
    core.abandon(job);
    await core.runRounds(20);
    await core.write(job);
    void core.runRounds(100);
    await expect.poll(() => core.statusOf(job)).toBe('canceled');
  });

  it('cancels an unconfirmed job at once although the clock was set back after the last look', async () => {
    const core = await connectAbandoning();
    const job = queuedJob();
    core.abandon(job);
    await core.runRounds(5);
    core.passTime(-3_600_000);
    await core.write(job);
    void core.runRounds(1);
    await expect.poll(() => core.statusOf(job)).toBe('canceled');
  });

  it('stops looking up a missing job after several replies of the store, and still looks up the next one', async () => {
    const core = await connectAbandoning();
    const startedAt = core.clock();
    core.abandon(queuedJob());
    void core.runRounds(1_000);
    await eventually(async () => {
      const before = core.rounds();
      for (let i = 0; i < 20; i += 1) await core.redis.ping();
      expect(core.rounds()).toBe(before);
    });
    expect(core.clock() - startedAt).toBeGreaterThan(15_000);
    expect(core.clock() - startedAt).toBeLessThan(60_000);
    const next = queuedJob();
    await core.write(next);
    core.abandon(next);
    await expect.poll(() => core.statusOf(next)).toBe('canceled');
  });

  it('requests the cancellation of an unconfirmed job if a worker has already started it', async () => {
    const core = await connectAbandoning();
    const job = queuedJob();
    await core.write(job);
    await core.change(job, (queued) => beginRun(queued, core.clock()));
    core.abandon(job);
    void core.runRounds(1);
    await expect
      .poll(async () => (await core.records.get(job.tenant, job.id))?.cancelRequestedAt)
      .toBeDefined();
    expect(await core.statusOf(job)).toBe('running');
  });

  it('stops looking up unconfirmed jobs when the process drains', async () => {
    const core = await connectAbandoning();
    core.abandon(queuedJob());
    await core.runRounds(3);
    core.drain();
    void core.runRounds(1_000);
    await eventually(async () => {
      const before = core.rounds();
      for (let i = 0; i < 20; i += 1) await core.redis.ping();
      expect(core.rounds()).toBe(before);
    });
    expect(core.rounds()).toBeLessThan(6);
  });
});
