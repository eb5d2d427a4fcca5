import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { queryRedis, startTestRedis, type TestRedis } from '../support/redis.ts';
import { startService } from '../support/service.ts';
import { imageCalls } from '../support/service-environment.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
  return redis.stop;
});

const appendOnly = (value: 'yes' | 'no') =>
  queryRedis(redis.url, (client) => client.config('SET', 'appendonly', value));

interface ReadinessBody {
  readonly checks: { readonly aof: { readonly ok: boolean; readonly detail: string | null } };
}

async function readinessOf(url: string) {
  const response = await fetch(`${url}/readyz`);
  const { checks } = (await response.json()) as ReadinessBody;
  return { status: response.status, aof: checks.aof };
}

const off = expect.stringContaining('the append-only file of Redis is off');
const withRetry = { timeout: 20_000, interval: 200 };

describe('a Redis without an append-only file', () => {
  it('is shown in /readyz and as a metric, and the service works', async () => {
    await appendOnly('no');
    const service = await startService({ REDIS_URL: redis.url, REDIS_KEY_PREFIX: 'aof-shown' });
    onTestFinished(service.close);
    expect(await readinessOf(service.url)).toEqual({ status: 200, aof: { ok: true, detail: off } });
    const metrics = await fetch(`${service.url}/metrics`).then((response) => response.text());
    expect(metrics).toContain('darkroom_redis_aof_enabled 0');
    await appendOnly('yes');
    await expect
      .poll(() => readinessOf(service.url), withRetry)
      .toEqual({ status: 200, aof: { ok: true, detail: null } });
  });

  it('makes /readyz 503 and stops workers if REQUIRE_AOF is set, until the file is on', async () => {
    await appendOnly('no');
    const service = await startService({
      REDIS_URL: redis.url,
      REDIS_KEY_PREFIX: 'aof-required',
      REQUIRE_AOF: 'true',
    });
    onTestFinished(service.close);
    expect(await readinessOf(service.url)).toEqual({ status: 503, aof: { ok: false, detail: off } });
    const submit = async (prompt: string) =>
      (await service.acme.post('/images').send({ prompt }).expect(202)).body.id as string;
    const first = await submit('waits for the file');
    // A worker would take the job within milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect((await service.acme.get(`/images/${first}`)).body.status).toBe('queued');
    expect(imageCalls(service.studio, 'waits for the file')).toEqual([]);
    await appendOnly('yes');
    expect((await service.acme.ended(first)).status).toBe('succeeded');
    await expect.poll(() => readinessOf(service.url), withRetry).toMatchObject({ status: 200 });
    await appendOnly('no');
    await expect.poll(() => readinessOf(service.url), withRetry).toMatchObject({ status: 503 });
    const second = await submit('waits again');
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect((await service.acme.get(`/images/${second}`)).body.status).toBe('queued');
  });
});
