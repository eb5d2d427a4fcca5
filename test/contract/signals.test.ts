import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { beginExecution } from '../../src/domain/job-moves.ts';
import type { ImageRecords } from '../../src/domain/ports.ts';
import { createSubscriberRedis } from '../../src/lib/redis/redis.ts';
import { createApiKeys } from '../../src/outbound/records/api-keys.ts';
import { createImageRecords } from '../../src/outbound/records/job-store.ts';
import { createSignals } from '../../src/outbound/records/signals.ts';
import { createdAt, queuedJob } from '../support/jobs.ts';
import { connectTestStore, type TestStore } from '../support/store.ts';

let store: TestStore;
let records: ImageRecords;

beforeAll(async () => {
  store = await connectTestStore();
  records = createImageRecords(store.redis, store.keys);
});

/** The signals of one process. */
async function connectSignals() {
  const subscriber = createSubscriberRedis(inject('redisPath'), { onError: () => undefined });
  const signals = createSignals(store.redis, subscriber, store.keys);
  onTestFinished(() => {
    signals.close();
    subscriber.disconnect();
  });
  // Commands of a connection are answered in order, so this comes after the subscription.
  await subscriber.ping();
  return signals;
}

async function submitted() {
  const job = queuedJob({ tenant: 'acme' });
  await records.submit({ job, maxOpenJobs: 1_000 });
  return job;
}
const begin = (id: string) =>
  records.update('acme', id, (now) => ({ job: beginExecution(now, createdAt + 1) }));

describe('a change of a job', () => {
  it('is told to its listeners in every process, and to no others', async () => {
    const [here, elsewhere] = [await connectSignals(), await connectSignals()];
    const [job, other] = [await submitted(), await submitted()];
    const heard: string[] = [];
    here.onChange('acme', job.id, () => heard.push('here'));
    here.onChange('acme', job.id, () => heard.push('here too'));
    elsewhere.onChange('acme', job.id, () => heard.push('elsewhere'));
    here.onChange('acme', other.id, () => heard.push('other job'));
    here.onChange('beta', job.id, () => heard.push('other tenant'));
    await begin(job.id);
    await expect.poll(() => heard.toSorted()).toEqual(['elsewhere', 'here', 'here too']);
  });

  it('is not told to who has stopped listening, even while others are being told', async () => {
    const signals = await connectSignals();
    const job = await submitted();
    const heard: string[] = [];
    const stop = signals.onChange('acme', job.id, () => {
      heard.push('once');
      stop();
    });
    signals.onChange('acme', job.id, () => heard.push('always'));
    await begin(job.id);
    await expect.poll(() => heard.length).toBe(2);
    await begin(job.id);
    await expect.poll(() => heard).toEqual(['once', 'always', 'always']);
  });

  it('that is not written is not told', async () => {
    const signals = await connectSignals();
    const job = await submitted();
    let heard = 0;
    signals.onChange('acme', job.id, () => heard++);
    await records.update('acme', job.id, () => null);
    await begin(job.id);
    await expect.poll(() => heard).toBeGreaterThan(0);
    expect(heard).toBe(1);
  });
});

describe('a wish to cancel', () => {
  it('reaches every process', async () => {
    const [here, elsewhere] = [await connectSignals(), await connectSignals()];
    const heard: string[] = [];
    here.onCancel((id) => heard.push(`here ${id}`));
    const stop = elsewhere.onCancel((id) => heard.push(`elsewhere ${id}`));
    await here.requestCancel('img_1');
    await expect.poll(() => heard.toSorted()).toEqual(['elsewhere img_1', 'here img_1']);
    stop();
    await here.requestCancel('img_2');
    await expect.poll(() => heard).toContain('here img_2');
    expect(heard).not.toContain('elsewhere img_2');
  });
});

describe('a change of an API key', () => {
  it('reaches every process that listens', async () => {
    const [here, elsewhere] = [await connectSignals(), await connectSignals()];
    const heard: string[] = [];
    here.onKeyChange((id) => heard.push(`here ${id}`));
    elsewhere.onKeyChange((id) => heard.push(`elsewhere ${id}`));
    const record = { id: 'key_1', tenant: 'acme', name: 'app', digest: 'd'.repeat(64), createdAt: 1 };
    await createApiKeys(store.redis, store.keys).put({ ...record, scopes: ['images:read'] });
    await expect.poll(() => heard.toSorted()).toEqual(['elsewhere key_1', 'here key_1']);
  });
});
