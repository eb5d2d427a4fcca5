import { describe, expect, it, onTestFinished } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { beginRun } from '../../src/domain/job-moves.ts';
import { createDelivery } from '../../src/domain/webhook-delivery.ts';
import { eventFor, eventIdsOf } from '../../src/domain/webhook-event.ts';
import { queueEvent } from '../../src/usecases/jobs/enqueue-event.ts';
import { type Core, connectCore } from '../support/core.ts';
import { createdAt, finishedJob, queuedJob } from '../support/jobs.ts';
import { startTestRedis } from '../support/redis.ts';

async function submitted(core: Core, tenant = 'acme'): Promise<ImageJob> {
  const job = queuedJob({ tenant, request: { webhook: { url: 'https://receiver.example/hook' } } });
  const event = eventFor(job);
  await core.records.submit({ job, event, maxOpenJobs: 10_000 });
  await core.jobQueue.add({ kind: 'run_job', tenant, id: job.id }, { priority: 'normal' });
  await queueEvent(core, { tenant, id: event.id });
  return job;
}

/** Dispatches the first event of a job, so that one delivery is pending. */
async function dispatched(core: Core, { tenant, id: jobId, createdAt: at }: ImageJob) {
  const [eventId = ''] = eventIdsOf(jobId);
  const destinationKey = 'host_1';
  const delivery = createDelivery({
    ...{ id: `dlv_${jobId}`, tenant, eventId, type: 'image.queued', at, jobId, destinationKey, nowMs: at },
    url: 'https://receiver.example/hook',
  });
  const [dispatchTask] = await core.events.dispatch(
    { tenant, id: eventId },
    { deliveries: [delivery], nowMs: at, contentTtlMs: 3_600_000 },
  );
  return { delivery, dispatchTask: dispatchTask ?? { destinationKey, taskId: 'none' } };
}

/** Removes every key of a queue, like a mistake of an operator. */
async function obliterate(core: Core, which: 'jobs' | 'webhooks'): Promise<void> {
  const keys = await core.queueRedis.keys(`${core.queueNames[which].prefix}:*`);
  if (keys.length > 0) await core.queueRedis.unlink(...keys);
}

/** Runs a round that finds everything too young, and another one some seconds later. */
async function reconcileTwice(core: Core): Promise<void> {
  core.passTime(1);
  await core.reconcile();
  core.passTime(6_000);
  await core.reconcile();
}

describe('the reconciler', () => {
  it('re-enqueues every task after the job queue was obliterated, and runs none twice', async () => {
    const core = await connectCore();
    const jobs = await Promise.all(Array.from({ length: 40 }, (_, i) => submitted(core, `tenant${i % 3}`)));
    await core.change({ tenant: jobs[0]?.tenant ?? '', id: jobs[0]?.id ?? '' }, (job) =>
      beginRun(job, createdAt),
    );
    await obliterate(core, 'jobs');
    core.passTime(1);
    await core.reconcile();
    expect(await core.jobQueue.counts()).toMatchObject({ waiting: 0 });
    core.passTime(6_000);
    await Promise.all([core.reconcile(), core.reconcile()]);
    expect(await core.jobQueue.counts()).toEqual({ waiting: 40, delayed: 0, active: 0 });
    expect(await core.jobQueue.has(jobs.map((job) => job.id))).toEqual(jobs.map(() => true));
  });

  it('re-enqueues a job that a worker had started before all waiting jobs', async () => {
    const core = await connectCore();
    const waiting = await Promise.all(Array.from({ length: 20 }, () => submitted(core)));
    const started = await submitted(core);
    await core.change(started, (job) => beginRun(job, createdAt));
    expect(await core.jobQueue.remove(started.id)).toBe(true);
    core.passTime(1);
    await core.reconcile();
    core.passTime(6_000);
    await core.reconcile();
    expect(await core.jobQueue.position(started.id)).toBe(0);
    expect(await core.jobQueue.counts()).toMatchObject({ waiting: waiting.length + 1 });
  });

  it('re-enqueues undispatched events after the webhook queue was obliterated', async () => {
    const core = await connectCore();
    const jobs = await Promise.all(Array.from({ length: 10 }, () => submitted(core)));
    await obliterate(core, 'webhooks');
    core.passTime(6_000);
    await core.reconcile();
    expect(await core.webhookQueue.counts()).toEqual({ waiting: 10, delayed: 0, active: 0 });
    expect(await core.jobQueue.counts()).toMatchObject({ waiting: jobs.length });
  });

  it('stops at the first task that the queue has no memory for, and re-enqueues all tasks later', async () => {
    const redis = await startTestRedis();
    onTestFinished(() => redis.stop());
    const core = await connectCore({ queueAddress: redis.path });
    const jobs = await Promise.all(Array.from({ length: 40 }, () => submitted(core)));
    await obliterate(core, 'jobs');
    await obliterate(core, 'webhooks');
    core.passTime(1);
    await core.reconcile();
    core.passTime(6_000);
    await redis.refuseWrites(true);
    const callsBefore = await redis.callsOf('evalsha');
    await expect(core.reconcile()).rejects.toMatchObject({ code: 'store_unavailable' });
    expect((await redis.callsOf('evalsha')) - callsBefore).toBe(1);
    await redis.refuseWrites(false);
    await core.reconcile();
    expect(await core.jobQueue.has(jobs.map((job) => job.id))).toEqual(jobs.map(() => true));
  });

  it('ignores jobs that are only moments old and jobs that have ended', async () => {
    const core = await connectCore();
    const [young, ended] = [await submitted(core), await submitted(core)];
    await core.change({ tenant: 'acme', id: ended.id }, finishedJob);
    await obliterate(core, 'jobs');
    core.passTime(1);
    await core.reconcile();
    expect(await core.jobQueue.has([young.id, ended.id])).toEqual([false, false]);
    core.passTime(6_000);
    await core.reconcile();
    expect(await core.jobQueue.has([young.id, ended.id])).toEqual([true, false]);
  });

  it('ignores a job that was written since the previous round, regardless of its creation time', async () => {
    const core = await connectCore();
    await submitted(core);
    await core.reconcile();
    const submittedAt = createdAt + 1_000;
    core.passTime(60_000);
    const late = queuedJob({ nowMs: submittedAt });
    await core.records.submit({ job: late, maxOpenJobs: 9 });
    await core.reconcile();
    expect(await core.jobQueue.has([late.id])).toEqual([false]);
    await core.reconcile();
    expect(await core.jobQueue.has([late.id])).toEqual([true]);
  });

  it('re-enqueues the dispatch task of a delivery queue with a due delivery', async () => {
    const core = await connectCore();
    const { dispatchTask } = await dispatched(core, await submitted(core));
    await obliterate(core, 'webhooks');
    await core.reconcile();
    expect(await core.webhookQueue.has([dispatchTask.taskId])).toEqual([false]);
    core.passTime(6_000);
    await Promise.all([core.reconcile(), core.reconcile()]);
    expect(await core.webhookQueue.has([dispatchTask.taskId])).toEqual([true]);
    expect(await core.webhookQueue.counts()).toEqual({ waiting: 1, delayed: 0, active: 0 });
  });

  it('ignores a delivery queue whose delivery waits for its next attempt', async () => {
    const core = await connectCore();
    const { delivery, dispatchTask } = await dispatched(core, await submitted(core));
    const run = { run: 'run', nowMs: createdAt };
    await core.deliveryQueues.acquireLease('acme', dispatchTask.destinationKey, { ...run, leaseMs: 1_000 });
    await core.deliveries.update(delivery, (now) => ({ ...now, dueAt: createdAt + 300_000 }));
    await core.deliveryQueues.releaseLease('acme', dispatchTask.destinationKey, run);
    await obliterate(core, 'webhooks');
    core.passTime(6_000);
    await core.reconcile();
    expect(await core.webhookQueue.counts()).toEqual({ waiting: 0, delayed: 0, active: 0 });
    core.passTime(300_000);
    await core.reconcile();
    const { taskId } = await core.deliveryQueues.dispatchTask('acme', dispatchTask.destinationKey);
    expect(await core.webhookQueue.has([taskId])).toEqual([true]);
  });

  it('ignores a delivery queue that a run is processing, until its lease expires', async () => {
    const core = await connectCore();
    const { dispatchTask } = await dispatched(core, await submitted(core));
    await obliterate(core, 'webhooks');
    await core.deliveryQueues.acquireLease('acme', dispatchTask.destinationKey, {
      run: 'run',
      nowMs: createdAt,
      leaseMs: 20_000,
    });
    core.passTime(6_000);
    await core.reconcile();
    expect(await core.webhookQueue.counts()).toMatchObject({ waiting: 0 });
    core.passTime(20_000);
    await core.reconcile();
    expect(await core.webhookQueue.counts()).toMatchObject({ waiting: 1 });
  });

  it('re-enqueues all jobs even if they fill several pages', async () => {
    const core = await connectCore();
    const jobs = await Promise.all(Array.from({ length: 620 }, () => submitted(core)));
    await obliterate(core, 'jobs');
    await obliterate(core, 'webhooks');
    await reconcileTwice(core);
    expect(await core.jobQueue.counts()).toMatchObject({ waiting: jobs.length });
    core.passTime(1);
    await core.reconcile();
    expect(await core.jobQueue.counts()).toMatchObject({ waiting: jobs.length });
  });

  it('finds lost events and due deliveries behind more than a page of blocked ones', async () => {
    const core = await connectCore();
    const waiting = await Promise.all(Array.from({ length: 501 }, () => submitted(core)));
    const late = queuedJob({
      nowMs: createdAt + 1,
      request: { webhook: { url: 'https://receiver.example/hook' } },
    });
    await core.records.submit({ job: late, event: eventFor(late), maxOpenJobs: 10_000 });
    const endpointServers = `${core.prefix}:{acme}`;
    for (let i = 0; i < 501; i++) {
      await core.redis.zadd(`${endpointServers}:dlvqs`, createdAt - 1, `rests_${i}`);
      await core.redis.hset(`${endpointServers}:dest:rests_${i}`, 'blockedUntil', createdAt + 3_600_000);
    }
    const { dispatchTask } = await dispatched(core, waiting[0] ?? late);
    await core.webhookQueue.remove(dispatchTask.taskId);
    await reconcileTwice(core);
    const [event] = eventIdsOf(late.id);
    expect(await core.webhookQueue.has([event ?? '', dispatchTask.taskId])).toEqual([true, true]);
  });

  it('re-enqueues the other jobs if one record cannot be read', async () => {
    const core = await connectCore();
    const [broken, other] = [await submitted(core), await submitted(core)];
    await obliterate(core, 'jobs');
    await core.redis.set(`${core.prefix}:{acme}:job:${broken.id}`, '1 nonsense');
    await reconcileTwice(core);
    expect(await core.jobQueue.has([broken.id, other.id])).toEqual([false, true]);
  });

  it.each([
    ['webhooks cannot be read', ['one:dlvqs', 'other:dlvqs'], [true, true]],
    ['records of another tenant cannot be read', ['one:open'], [false, true]],
  ])('re-enqueues the jobs of a tenant although the %s', async (_name, broken, restored) => {
    const core = await connectCore();
    const jobs = [await submitted(core, 'one'), await submitted(core, 'other')];
    await obliterate(core, 'jobs');
    for (const key of broken)
      await core.redis.set(`${core.prefix}:${key.replace(/^\w+/, '{$&}')}`, 'nonsense');
    core.passTime(1);
    await expect(core.reconcile()).rejects.toMatchObject({ message: expect.stringMatching(/^WRONGTYPE/) });
    core.passTime(6_000);
    await expect(core.reconcile()).rejects.toMatchObject({ message: expect.stringMatching(/^WRONGTYPE/) });
    expect(await core.jobQueue.has(jobs.map(({ id }) => id))).toEqual(restored);
  });

  it('preserves the priority of a job that it re-enqueues', async () => {
    const core = await connectCore();
    const low = queuedJob({ request: { priority: 'low' } });
    const high = queuedJob({ request: { priority: 'high' } });
    for (const job of [low, high]) await core.records.submit({ job, maxOpenJobs: 9 });
    await reconcileTwice(core);
    expect(await core.jobQueue.position(high.id)).toBe(0);
    expect(await core.jobQueue.position(low.id)).toBe(1);
  });
});
