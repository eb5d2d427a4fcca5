import { describe, expect, it, onTestFinished } from 'vitest';
import { addMany, startManualWorker, tenantsOf } from '../support/job-queue.ts';
import { emptyJobQueue } from '../support/queue.ts';
import { done, withRetry } from '../support/queue-tasks.ts';
import { startTestRedis } from '../support/redis.ts';

describe('the weights of tenants', () => {
  it('serves a tenant of weight 3 three times as often as one of weight 1', async () => {
    const subject = await emptyJobQueue();
    subject.policies.set('heavy', { weight: 3 });
    await addMany(subject, 'heavy', { count: 200 });
    await addMany(subject, 'light', { count: 200 });
    const ran: string[] = [];
    const { relay } = subject.startWorker(
      async ({ tenant }) => {
        ran.push(tenant);
        return done;
      },
      { concurrency: 2 },
    );
    await relay.onPolicyChange('heavy');
    await expect.poll(() => ran.length, withRetry).toBeGreaterThanOrEqual(220);
    // The first tasks may have started before the weight was known.
    const share = ran.slice(20, 220).filter((tenant) => tenant === 'heavy').length / 200;
    expect(share).toBeGreaterThan(0.75 * 0.9);
    expect(share).toBeLessThan(0.75 * 1.1);
  });
});

describe('the limits of concurrent jobs', () => {
  it('runs as many jobs of a tenant as its limit allows, and those of others beside them', async () => {
    const subject = await emptyJobQueue();
    subject.policies.set('limited', { limits: { concurrentJobs: 2 } });
    const worker = startManualWorker(subject, 6);
    await worker.relay.onPolicyChange('limited');
    await addMany(subject, 'limited', { count: 10 });
    await worker.hasStarted(2);
    await addMany(subject, 'other', { count: 3 });
    await worker.hasStarted(5);
    expect(tenantsOf(worker.started)).toEqual(['limited', 'limited', 'other', 'other', 'other']);
    worker.endNext();
    await worker.hasStarted(6);
    expect(worker.started.at(-1)?.tenant).toBe('limited');
    expect(await subject.queue.counts()).toEqual({ waiting: 7, delayed: 0, active: 5 });
  });

  it('runs as many jobs of a key as its limit allows, and those of other keys of the tenant beside them', async () => {
    const subject = await emptyJobQueue();
    subject.policies.set('acme key_1', { limits: { concurrentJobs: 1 } });
    const worker = startManualWorker(subject, 4);
    const limited = await addMany(subject, 'acme', { count: 400, priority: 'high', keyId: 'key_1' });
    await worker.hasStarted(1);
    const free = await addMany(subject, 'acme', { count: 3, priority: 'low', keyId: 'key_2' });
    await worker.hasStarted(4);
    expect(worker.started.map(({ id }) => id)).toEqual([limited[0], ...free].map((task) => task?.id));
    expect(await subject.queue.position(limited[5]?.id ?? '')).toBe(4);
    worker.endNext();
    await worker.hasStarted(5);
    expect(worker.started.at(-1)?.id).toBe(limited[1]?.id);
  });

  it('runs the next job of a key if the job that would be next is removed', async () => {
    const subject = await emptyJobQueue();
    subject.policies.set('acme key_1', { limits: { concurrentJobs: 1 } });
    const worker = startManualWorker(subject, 2);
    const jobs = await addMany(subject, 'acme', { count: 4, keyId: 'key_1' });
    await worker.hasStarted(1);
    expect(await subject.queue.remove(jobs[1]?.id ?? '')).toBe(true);
    worker.endNext();
    await worker.hasStarted(2);
    expect(worker.started.at(-1)?.id).toBe(jobs[2]?.id);
  });

  it('applies a raised and a removed limit to waiting jobs', async () => {
    const subject = await emptyJobQueue();
    const { policies } = subject;
    policies.set('acme', { limits: { concurrentJobs: 1 } });
    policies.set('beta key_1', { limits: { concurrentJobs: 1 } });
    const worker = startManualWorker(subject, 8);
    await worker.relay.onPolicyChange('acme');
    await addMany(subject, 'acme', { count: 5 });
    await addMany(subject, 'beta', { count: 5, keyId: 'key_1' });
    await worker.hasStarted(2);
    policies.set('acme', { limits: { concurrentJobs: 3 } });
    await worker.relay.onPolicyChange('acme');
    await worker.hasStarted(4);
    policies.delete('beta key_1');
    await worker.relay.onPolicyChange('beta', 'key_1');
    await worker.hasStarted(8);
  });

  it('finds a changed limit within seconds without a message', async () => {
    const subject = await emptyJobQueue();
    subject.policies.set('acme', { limits: { concurrentJobs: 1 } });
    const worker = startManualWorker(subject, 4);
    await worker.relay.onPolicyChange('acme');
    await addMany(subject, 'acme', { count: 4 });
    await worker.hasStarted(1);
    subject.policies.delete('acme');
    await worker.hasStarted(4);
  });

  it('sends few commands while jobs wait for a limit', async () => {
    const redis = await startTestRedis();
    onTestFinished(() => redis.stop());
    const subject = await emptyJobQueue(redis.path);
    subject.policies.set('acme', { limits: { concurrentJobs: 1 } });
    const worker = startManualWorker(subject, 4);
    await worker.relay.onPolicyChange('acme');
    await addMany(subject, 'acme', { count: 1_000 });
    await worker.hasStarted(1);
    const before = await redis.callsOf('evalsha');
    const startedAt = Date.now();
    await expect.poll(() => Date.now() - startedAt).toBeGreaterThan(3_000);
    const calls = (await redis.callsOf('evalsha')) - before;
    // A loop without a pause would send thousands.
    expect(calls).toBeLessThan(150);
  });
});
