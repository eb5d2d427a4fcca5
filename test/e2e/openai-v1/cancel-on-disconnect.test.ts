import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ImageJobView } from '../../../src/domain/job-view.ts';
import { startGeneration } from '../../support/openai-requests.ts';
import { queryRedis } from '../../support/redis.ts';
import { startService, startServiceIn, type TestService } from '../../support/service.ts';
import { createEnvironment, imageCalls } from '../../support/service-environment.ts';

const cancels = { V1_CANCEL_ON_DISCONNECT: 'true' };

let service: TestService;
beforeAll(async () => {
  service = await startService(cancels);
  return service.close;
});

const start = (prompt: string, headers: Record<string, string> = {}) =>
  startGeneration(service.url, { prompt }, { headers });

/** Returns the only job with a prompt, once the provider works on it and an official client could retry. */
async function runningJob(prompt: string, of = service): Promise<ImageJobView> {
  await expect.poll(() => imageCalls(of.studio, prompt).length, { timeout: 20_000 }).toBe(1);
  const { body } = await of.acme.get('/images').expect(200);
  const job = body.data.find((each: ImageJobView) => each.request?.prompt === prompt);
  await expect.poll(() => Date.now() - Date.parse(job.created_at), { timeout: 5_000 }).toBeGreaterThan(400);
  return job;
}

/** Returns the greatest number of requests that wait for the same job. */
const maxWaiters = () =>
  queryRedis(service.env.REDIS_URL ?? '', async (redis) => {
    const keys = await redis.keys(`*${service.env.REDIS_KEY_PREFIX}*:waiters:*`);
    return Math.max(0, ...(await Promise.all(keys.map((key) => redis.scard(key)))));
  });

const untilCanceled = (id: string) =>
  expect.poll(async () => (await service.acme.job(id)).status, { timeout: 20_000 }).toBe('canceled');

describe('a disconnect with V1_CANCEL_ON_DISCONNECT', () => {
  it('cancels the job of its only caller, and a retry then creates another job', async () => {
    const prompt = 'A lonely fox [studio:latency=20000,times=1]';
    const first = start(prompt, { 'x-stainless-retry-count': '0' });
    const { id } = await runningJob(prompt);
    first.request.destroy();
    await untilCanceled(id);
    const retry = await start(prompt, { 'x-stainless-retry-count': '1' }).response;
    expect(retry).toMatchObject({ status: 200 });
    expect(retry.headers).not.toHaveProperty('x-darkroom-joined');
  });

  it.each([
    ['the first caller', 0],
    ['the second caller', 1],
  ])('of %s cancels no job for which the other one waits', async (name, leaving) => {
    for (const [kind, headers] of [
      ['key', [{ 'idempotency-key': `shared-${leaving}` }, { 'idempotency-key': `shared-${leaving}` }]],
      ['retry', [{ 'x-stainless-retry-count': '0' }, { 'x-stainless-retry-count': '1' }]],
    ] as const) {
      const prompt = `A fox of two callers ${kind} ${name} [studio:latency=2500]`;
      const first = start(prompt, headers[0]);
      const { id } = await runningJob(prompt);
      const second = start(prompt, headers[1]);
      await expect.poll(() => maxWaiters(), { timeout: 20_000 }).toBe(2);
      [first, second][leaving]?.request.destroy();
      expect(await [second, first][leaving]?.response).toMatchObject({
        status: 200,
        headers: { 'x-darkroom-job-id': id },
      });
    }
  });

  it('of every caller cancels the job of a shared Idempotency-Key', async () => {
    const prompt = 'A fox of no caller [studio:latency=20000]';
    const both = [0, 1].map(() => start(prompt, { 'idempotency-key': 'left-by-all' }));
    const { id } = await runningJob(prompt);
    await expect.poll(() => maxWaiters(), { timeout: 20_000 }).toBe(2);
    for (const { request } of both) request.destroy();
    await untilCanceled(id);
  });
});

describe('a stop of the service with V1_CANCEL_ON_DISCONNECT', () => {
  it('cancels no job, although its callers get no image', async () => {
    const environment = await createEnvironment(cancels);
    onTestFinished(environment.remove);
    const before = await startServiceIn(environment, { SHUTDOWN_GRACE_S: '0' });
    const prompt = 'A fox of a deployment [studio:latency=1500]';
    const { response } = startGeneration(before.url, { prompt });
    const { id } = await runningJob(prompt, before);
    await before.close();
    expect(await response).toMatchObject({ status: 503 });
    const after = await startServiceIn(environment);
    onTestFinished(after.close);
    expect(await after.acme.ended(id)).toMatchObject({ status: 'succeeded' });
    const again = await startGeneration(after.url, { prompt }).response;
    expect(again).toMatchObject({ status: 200, headers: { 'x-darkroom-joined': id } });
  });
});
