import supertest from 'supertest';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { storageIn } from '../support/bucket.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { startTestS3, type TestS3 } from '../support/s3-server.ts';
import { createEnvironment, imageCalls, type TestEnvironment } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';

// Processes need seconds to start, on a busy machine many seconds.
vi.setConfig({ testTimeout: 120_000 });

let redis: TestRedis;
let s3: TestS3;
let environment: TestEnvironment;
beforeAll(async () => {
  redis = await startTestRedis();
  s3 = await startTestS3();
  environment = await createEnvironment({ REDIS_URL: redis.url, ...storageIn(s3) });
  await redis.kill9();
  await s3.stop();
  return async () => {
    await environment.remove();
    await redis.stop();
  };
});

describe('processes started before Redis and the storage', () => {
  it('processes started before Redis and S3 report both, recover with them and can be stopped at any time', async () => {
    const start = (ROLES: string) => startServiceProcess({ ...environment.env, ROLES });
    const [api, worker, stoppedEarly] = await Promise.all([start('api'), start('worker'), start('all')]);
    for (const process of [api, worker]) {
      const { body } = await supertest(process.url).get('/readyz').expect(503);
      expect(body.checks).toMatchObject({ redis: { ok: false }, storage: { ok: false } });
      await supertest(process.url).get('/livez').expect(200);
    }
    expect(await stoppedEarly.stop()).toEqual({ code: 0, signal: null });

    await redis.restart();
    const submit = async () => api.acme.post('/images').send({ prompt: 'As soon as possible' }).expect(202);
    const { body } = await vi.waitFor(submit, { timeout: 15_000, interval: 100 });
    // S3 starts last: the paid response waits on disk until then.
    await vi.waitFor(() => expect(imageCalls(environment.studio)).toHaveLength(1), { timeout: 15_000 });
    await s3.start();
    const job = await api.acme.ended(body.id);

    expect(job.status).toBe('succeeded');
    expect(imageCalls(environment.studio)).toHaveLength(1);
    for (const process of [api, worker]) {
      await vi.waitFor(async () => supertest(process.url).get('/readyz').expect(200), { timeout: 10_000 });
    }
    expect(await Promise.all([api.stop(), worker.stop()])).toEqual([
      { code: 0, signal: null },
      { code: 0, signal: null },
    ]);
    await s3.stop();
  });
});
