import { Queue } from 'bullmq';
import { describe, expect, it } from 'vitest';
import { beginExecution, type ImageJob } from '../../src/domain/image-job.ts';
import { deliveriesFor } from '../../src/domain/webhook-event.ts';
import { queueDeliveries } from '../../src/usecases/change-image.ts';
import { type Core, connectCore } from '../support/core.ts';
import { createdAt, finishedJob, queuedJob } from '../support/jobs.ts';

async function submitted(core: Core, tenant = 'acme'): Promise<ImageJob> {
  const job = queuedJob({ tenant, request: { webhook: { url: 'https://receiver.example/hook' } } });
  const deliveries = deliveriesFor(job);
  await core.records.submit({ job, deliveries, maxOpenJobs: 10_000 });
  await core.imageQueue.add({ tenant, id: job.id }, { priority: 'normal' });
  await queueDeliveries(core, deliveries);
  return job;
}

/** Does what an operator's slip does: every key of a queue is gone. */
async function obliterate(core: Core, which: 'images' | 'webhooks'): Promise<void> {
  const { name, prefix } = core.queueNames[which];
  const queue = new Queue(name, { connection: core.queueRedis, prefix, skipVersionCheck: true });
  await queue.obliterate({ force: true });
}

describe('reconciling', () => {
  it('brings every task back after the queue was obliterated, and runs none twice', async () => {
    const core = await connectCore();
    const jobs = await Promise.all(Array.from({ length: 40 }, (_, i) => submitted(core, `tenant${i % 3}`)));
    await core.change(jobs[0]?.tenant ?? '', jobs[0]?.id ?? '', (job) => beginExecution(job, createdAt));
    await obliterate(core, 'images');
    expect(await core.imageQueue.counts()).toMatchObject({ waiting: 0 });
    core.passTime(6_000);
    await Promise.all([core.reconcile(), core.reconcile()]);
    expect(await core.imageQueue.counts()).toEqual({ waiting: 40, delayed: 0, active: 0 });
    expect(await core.imageQueue.has(jobs.map((job) => job.id))).toEqual(jobs.map(() => true));
  });

  it('brings the deliveries back after their queue was obliterated', async () => {
    const core = await connectCore();
    const jobs = await Promise.all(Array.from({ length: 10 }, () => submitted(core)));
    await obliterate(core, 'webhooks');
    core.passTime(6_000);
    await core.reconcile();
    expect(await core.webhookQueue.counts()).toEqual({ waiting: 10, delayed: 0, active: 0 });
    expect(await core.imageQueue.counts()).toMatchObject({ waiting: jobs.length });
  });

  it('leaves what is only moments old, and what has ended', async () => {
    const core = await connectCore();
    const [young, ended] = [await submitted(core), await submitted(core)];
    await core.change('acme', ended.id, finishedJob);
    await obliterate(core, 'images');
    await core.reconcile();
    expect(await core.imageQueue.has([young.id, ended.id])).toEqual([false, false]);
    core.passTime(6_000);
    await core.reconcile();
    expect(await core.imageQueue.has([young.id, ended.id])).toEqual([true, false]);
  });

  it('leaves a delivery alone that waits for its next attempt', async () => {
    const core = await connectCore();
    const job = await submitted(core);
    const [delivery] = deliveriesFor(job);
    if (!delivery) throw new Error('nothing to deliver');
    await core.deliveries.save({ ...delivery, attempts: 1 }, createdAt + 300_000);
    await obliterate(core, 'webhooks');
    core.passTime(6_000);
    await core.reconcile();
    expect(await core.webhookQueue.has([delivery.id])).toEqual([false]);
    core.passTime(300_000);
    await core.reconcile();
    expect(await core.webhookQueue.has([delivery.id])).toEqual([true]);
  });

  it('finds everything among more jobs than one page', async () => {
    const core = await connectCore();
    const jobs = await Promise.all(Array.from({ length: 620 }, () => submitted(core)));
    await obliterate(core, 'images');
    await obliterate(core, 'webhooks');
    core.passTime(6_000);
    await core.reconcile();
    expect(await core.imageQueue.counts()).toMatchObject({ waiting: jobs.length });
    core.passTime(1);
    await core.reconcile();
    expect(await core.imageQueue.counts()).toMatchObject({ waiting: jobs.length });
  });

  it('is not kept from the other jobs by a record that cannot be read', async () => {
    const core = await connectCore();
    const [broken, other] = [await submitted(core), await submitted(core)];
    await obliterate(core, 'images');
    await core.redis.set(`${core.prefix}:{acme}:job:${broken.id}`, '1 nonsense');
    core.passTime(6_000);
    await core.reconcile();
    expect(await core.imageQueue.has([broken.id, other.id])).toEqual([false, true]);
  });

  it('keeps the priority of a job', async () => {
    const core = await connectCore();
    const low = queuedJob({ request: { priority: 'low' } });
    const high = queuedJob({ request: { priority: 'high' } });
    for (const job of [low, high]) await core.records.submit({ job, deliveries: [], maxOpenJobs: 9 });
    core.passTime(6_000);
    await core.reconcile();
    expect(await core.imageQueue.position(high.id)).toBe(0);
    expect(await core.imageQueue.position(low.id)).toBe(1);
  });
});
