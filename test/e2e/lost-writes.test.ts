import { expect, it, onTestFinished } from 'vitest';
import { digestHex } from '../../src/lib/crypto/api-key-text.ts';
import { createRedis } from '../../src/lib/redis/redis.ts';
import { eventually } from '../support/eventually.ts';
import { takeSnapshot } from '../support/redis-snapshot.ts';
import { startServiceIn } from '../support/service.ts';
import { createEnvironment, imageCalls } from '../support/service-environment.ts';

it('an image that was stored before Redis lost the last writes is used again, and not paid again', async () => {
  const environment = await createEnvironment();
  onTestFinished(() => environment.remove());
  const { REDIS_URL = '', REDIS_KEY_PREFIX = '' } = environment.env;
  const redis = createRedis(REDIS_URL, { onError: () => undefined });
  onTestFinished(() => redis.disconnect());

  const first = await startServiceIn(environment);
  const { id } = await first.acme.submit({ prompt: 'Lost writes [studio:latency=1500]' });
  await eventually(async () => {
    expect(imageCalls(environment.studio)).toHaveLength(1);
  });
  const restore = await takeSnapshot(redis, REDIS_KEY_PREFIX);
  const before = await first.acme.ended(id);
  expect(before).toMatchObject({ status: 'succeeded', attempts: [{ state: 'stored' }] });
  await first.close();
  await restore();

  const second = await startServiceIn(environment);
  onTestFinished(() => second.close());
  expect(await second.acme.ended(id)).toMatchObject({
    status: 'succeeded',
    images: [{ sha256: before.images[0]?.sha256, width: 1024, height: 1024 }],
    attempts: [{ state: 'stored', cost_micro_usd: null }],
  });
  expect(imageCalls(environment.studio)).toHaveLength(1);
});

it('a call whose run Redis forgot, and the call of the next run, keep their images and their charges', async () => {
  const environment = await createEnvironment();
  onTestFinished(() => environment.remove());
  const { REDIS_URL = '', REDIS_KEY_PREFIX = '' } = environment.env;
  const redis = createRedis(REDIS_URL, { onError: () => undefined });
  onTestFinished(() => redis.disconnect());
  const api = await startServiceIn(environment, { ROLES: 'api' });
  onTestFinished(() => api.close());
  const { id } = await api.acme.submit({ prompt: 'A forgotten run [studio:latency=3000]' });
  const restore = await takeSnapshot(redis, REDIS_KEY_PREFIX);

  const worker = await startServiceIn(environment, { ROLES: 'worker' });
  onTestFinished(() => worker.close());
  await eventually(async () => {
    expect(imageCalls(environment.studio)).toHaveLength(1);
  });
  await restore();
  await eventually(async () => {
    const { attempts, cost } = await api.acme.ended(id);
    expect(attempts.map(({ state }) => state).sort()).toEqual(['stored', 'wasted']);
    expect(cost.micro_usd).toBe(attempts.reduce((sum, each) => sum + (each.cost_micro_usd ?? Number.NaN), 0));
  });
  expect(imageCalls(environment.studio)).toHaveLength(2);
  const { images } = await api.acme.ended(id);
  const bytes = Buffer.from(await (await fetch(images[0]?.url ?? '')).arrayBuffer());
  expect(digestHex(bytes)).toBe(images[0]?.sha256);
});
