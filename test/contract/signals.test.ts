import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { beginRun } from '../../src/domain/job-moves.ts';
import type { JobStore } from '../../src/domain/ports.ts';
import { createSubscriberRedis } from '../../src/lib/redis/redis.ts';
import { createApiKeys } from '../../src/outbound/records/api-keys.ts';
import { createJobStore } from '../../src/outbound/records/job-store.ts';
import { createSignals } from '../../src/outbound/records/signals.ts';
import { apiKeyOf, auditBounds, keyAudit } from '../support/api-keys.ts';
import { createdAt, queuedJob } from '../support/jobs.ts';
import { connectTestStore, type TestStore } from '../support/store.ts';

let store: TestStore;
let records: JobStore;

beforeAll(async () => {
  store = await connectTestStore();
  records = createJobStore(store.redis, store.keys);
});

/** Connects the signals of one process. */
async function connectSignals() {
  const subscriber = createSubscriberRedis(inject('redisPath'), { onError: () => undefined });
  const signals = createSignals(store.redis, subscriber, store.keys);
  onTestFinished(() => {
    signals.close();
    subscriber.disconnect();
  });
  // Redis processes the commands of a connection in order, so this reply follows the subscription.
  await subscriber.ping();
  return signals;
}

async function submitted() {
  const job = queuedJob({ tenant: 'acme' });
  await records.submit({ job, maxOpenJobs: 1_000 });
  return job;
}
const begin = (id: string) =>
  records.update({ tenant: 'acme', id }, (now) => ({ job: beginRun(now, createdAt + 1) }));

describe('a change of a job', () => {
  it('notifies the listeners of a changed job in every process and no others', async () => {
    const [here, elsewhere] = [await connectSignals(), await connectSignals()];
    const [job, other] = [await submitted(), await submitted()];
    const captured: string[] = [];
    here.onChange('acme', job.id, () => captured.push('here'));
    here.onChange('acme', job.id, () => captured.push('here too'));
    elsewhere.onChange('acme', job.id, () => captured.push('elsewhere'));
    here.onChange('acme', other.id, () => captured.push('other job'));
    here.onChange('beta', job.id, () => captured.push('other tenant'));
    await begin(job.id);
    await expect.poll(() => captured.toSorted()).toEqual(['elsewhere', 'here', 'here too']);
  });

  it('does not notify a removed listener, even if it is removed during a notification', async () => {
    const signals = await connectSignals();
    const job = await submitted();
    const captured: string[] = [];
    const stop = signals.onChange('acme', job.id, () => {
      captured.push('once');
      stop();
    });
    signals.onChange('acme', job.id, () => captured.push('always'));
    await begin(job.id);
    await expect.poll(() => captured.length).toBe(2);
    await begin(job.id);
    await expect.poll(() => captured).toEqual(['once', 'always', 'always']);
  });

  it('publishes no change of a job that is not written', async () => {
    const signals = await connectSignals();
    const job = await submitted();
    let captured = 0;
    signals.onChange('acme', job.id, () => captured++);
    await records.update({ tenant: 'acme', id: job.id }, () => null);
    await begin(job.id);
    await expect.poll(() => captured).toBeGreaterThan(0);
    expect(captured).toBe(1);
  });
});

describe('a cancellation request', () => {
  it('publishes a cancellation request to every process', async () => {
    const [here, elsewhere] = [await connectSignals(), await connectSignals()];
    const captured: string[] = [];
    here.onCancel((id) => captured.push(`here ${id}`));
    const stop = elsewhere.onCancel((id) => captured.push(`elsewhere ${id}`));
    await here.requestCancel('img_1');
    await expect.poll(() => captured.toSorted()).toEqual(['elsewhere img_1', 'here img_1']);
    stop();
    await here.requestCancel('img_2');
    await expect.poll(() => captured).toContain('here img_2');
    expect(captured).not.toContain('elsewhere img_2');
  });
});

describe('a change of an API key', () => {
  it('publishes a change of an API key to every process that listens', async () => {
    const [here, elsewhere] = [await connectSignals(), await connectSignals()];
    const captured: string[] = [];
    here.onPolicyChange(({ name }) => captured.push(`here ${name}`));
    elsewhere.onPolicyChange(({ name }) => captured.push(`elsewhere ${name}`));
    const record = apiKeyOf('key_1');
    const apiKeys = createApiKeys(store.redis, store.keys, { audit: auditBounds });
    await apiKeys.create({ record, audit: keyAudit(record) });
    await expect.poll(() => captured.toSorted()).toEqual(['elsewhere key_1', 'here key_1']);
  });
});
