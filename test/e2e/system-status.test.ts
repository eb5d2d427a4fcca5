import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import supertest from 'supertest';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { SystemStatus } from '../../src/domain/system-status.ts';
import { packageVersion } from '../../src/lib/package-version.ts';
import { createKeys } from '../../src/outbound/records/keys.ts';
import { queryRedis, startTestRedis, type TestRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

const prefix = 'status';
const { processes } = createKeys(prefix);
let redis: TestRedis;
let service: TestService;
beforeAll(async () => {
  redis = await startTestRedis();
  const killed = {
    process: 'killed',
    at: 0,
    startedAt: 0,
    host: 'h',
    pid: 1,
    roles: [],
    release: '',
    node: '',
  };
  await queryRedis(redis.url, (client) => client.hset(processes, 'killed', JSON.stringify(killed)));
  service = await startService({
    REDIS_URL: redis.url,
    REDIS_KEY_PREFIX: prefix,
    WORKER_CONCURRENCY: '3',
  });
  return async () => {
    await service.close();
    await redis.stop();
  };
});

const as = (key: string) => ({ authorization: `Bearer ${key}` });
async function status(): Promise<SystemStatus> {
  return (await supertest(service.url).get('/admin/status').set(as(testKeys.admin)).expect(200)).body;
}
/** Reads the status until it fits. `onRead` is called with the duration of each read. */
const statusWith = (check: (seen: SystemStatus) => void, onRead: (ms: number) => void = () => {}) =>
  vi.waitFor(
    async () => {
      const startedAt = performance.now();
      const seen = await status();
      onRead(performance.now() - startedAt);
      check(seen);
      return seen;
    },
    { timeout: 20_000, interval: 100 },
  );
const allOk = () =>
  statusWith((seen) => {
    expect(seen.state).toBe('ok');
    expect(seen.workers.alive).toBe(1);
    expect(seen.versions.processes).toHaveLength(1);
  });

it('loses the report of a killed process at the start of another, although no status is read', async () => {
  await queryRedis(redis.url, (client) =>
    vi.waitFor(async () => expect(await client.hexists(processes, 'killed')).toBe(0), { timeout: 10_000 }),
  );
});

describe('the status of a deployment', () => {
  it('shows queue, workers, spool, Redis, storage, webhooks and versions of a deployment that works', async () => {
    const seen = await allOk();
    expect(seen.queue).toMatchObject({ state: 'ok', waiting: 0, active: 0, oldest_queued_s: 0 });
    expect(seen.workers).toMatchObject({ slots: 3, running: 0, data: [{ slots: 3, alive: true }] });
    expect(seen.workers.data[0]?.id).toBe(seen.versions.processes[0]?.id);
    expect(seen.circuit_breakers).toEqual({ state: 'ok', detail: null, data: [] });
    expect(seen.spool).toMatchObject({ files: 0, size_bytes: 0, oldest_at: null, unknown_versions: [] });
    expect(seen.redis).toMatchObject({ role: 'master', aof_enabled: true, max_bytes: null });
    expect(seen.redis.version).toMatch(/^(Valkey )?\d+\.\d+/);
    expect(seen.redis.used_bytes).toBeGreaterThan(0);
    expect(seen.redis.latency_ms).toBeGreaterThan(0);
    expect(seen.storage).toMatchObject({ location: expect.stringContaining('images') });
    expect(seen.webhooks).toMatchObject({ waiting: 0, pending_deliveries: 0 });
    expect(seen.versions).toMatchObject({
      release: packageVersion(),
      node: process.version,
      schemas: { job: 1, task: 1, spooled_response: 1 },
      processes: [{ pid: process.pid, roles: expect.arrayContaining(['api', 'worker', 'webhooks']) }],
    });
  });

  it('counts running jobs and the slots that they use', async () => {
    const job = await service.acme.submit({ prompt: 'Slow [studio:hang]' });
    const seen = await statusWith(({ workers }) => expect(workers.running).toBe(1));
    expect(seen.queue.active).toBe(1);
    await statusWith(({ queue }) => expect(queue.oldest_running_s).toBeGreaterThan(0));
    await service.acme.post(`/images/${job.id}/cancel`).expect(200);
  });

  it('shows responses of a newer release in the spool', async () => {
    const file = join(service.dataDir, 'spool', 'acme.img_01ARZ3NDEKTSV4RRFFQ69G5FAV.1.response');
    await writeFile(file, '{"v":7,"provider":"openai"}\nbytes');
    const { spool } = await statusWith((seen) => expect(seen.spool.state).toBe('degraded'));
    expect(spool).toMatchObject({
      files: 1,
      unknown_versions: [7],
      detail: expect.stringContaining('newer'),
    });
    expect(spool.oldest_at).not.toBeNull();
  });

  const outages: [string, () => void | Promise<void>, () => void | Promise<void>][] = [
    ['is down', () => redis.kill9(), () => redis.restart()],
    ['hangs', () => redis.pause(), () => redis.resume()],
  ];
  it.each(outages)(
    'arrives within a second while Redis %s, with the parts that can be read',
    async (_how, begin, end) => {
      await begin();
      const begunAt = Date.now();
      let slowestMs = 0;
      // A status lives for a second, so the first one may be older than the outage.
      const seen = await statusWith(
        ({ at }) => expect(Date.parse(at)).toBeGreaterThan(begunAt),
        (ms) => {
          slowestMs = Math.max(slowestMs, ms);
        },
      );
      await end();
      expect(slowestMs).toBeLessThan(1_000);
      expect(seen.state).toBe('down');
      expect(seen.redis).toMatchObject({ state: 'down', detail: expect.any(String), latency_ms: null });
      expect(seen.storage.state).toBe('ok');
      expect(seen.versions.release).toBe(packageVersion());
      for (const part of [seen.queue, seen.workers, seen.circuit_breakers, seen.spool, seen.webhooks]) {
        expect(part).toMatchObject({ state: 'unknown', detail: expect.any(String) });
      }
      expect(seen.queue.waiting).toBeNull();
      expect(seen.workers.alive).toBeNull();
      await statusWith(({ redis: again, workers }) =>
        expect([again.state, workers.alive]).toEqual(['ok', 1]),
      );
    },
  );

  it('needs the key of the operator', async () => {
    for (const call of ['get /admin/status', 'post /admin/providers/openai:account/resume']) {
      const [method, path = ''] = call.split(' ') as ['get' | 'post', string];
      const refused = await supertest(service.url)[method](path).set(as(testKeys.acme)).expect(403);
      expect(refused.body.code).toBe('insufficient_scope');
      await supertest(service.url)[method](path).expect(401);
    }
  });
});

describe('a circuit breaker', () => {
  it.each(['nope', 'openai', 'openai:model:', 'openai:model:no-model', '%00', 'openai:account:x'])(
    'cannot be closed by the name %s, which no scope has',
    async (scope) => {
      const { body } = await supertest(service.url)
        .post(`/admin/providers/${scope}/resume`)
        .set(as(testKeys.admin))
        .expect(404);
      expect(body).toMatchObject({ code: 'not_found', detail: expect.stringContaining('Open: ') });
    },
  );

  it.each(['openai:model:gpt-image-2', 'openai:model:gpt-image-2:options:acme', 'studio:account'])(
    'can be closed by the name %s',
    async (scope) => {
      await supertest(service.url)
        .post(`/admin/providers/${scope}/resume`)
        .set(as(testKeys.admin))
        .expect(200);
    },
  );

  it('is shown while it is open, and closes at the request of the operator with an entry in the audit log', async () => {
    await service.acme.generate({ prompt: 'No credit [studio:quota]' });
    const { circuit_breakers: open } = await statusWith((seen) =>
      expect(seen.circuit_breakers.data).toHaveLength(1),
    );
    expect(open).toMatchObject({
      state: 'degraded',
      data: [{ scope: 'openai:account', code: 'provider_quota_exhausted', failures: 1, until: null }],
    });

    const resume = () =>
      supertest(service.url)
        .post('/admin/providers/openai%3Aaccount/resume')
        .set(as(testKeys.admin))
        .expect(200);
    const closed = { object: 'circuit_breaker', scope: 'openai:account', state: 'closed' };
    expect((await resume()).body).toEqual({ ...closed, was_open: true });
    expect((await resume()).body).toEqual({ ...closed, was_open: false });
    await statusWith((seen) => expect(seen.circuit_breakers).toMatchObject({ state: 'ok', data: [] }));
    expect((await service.acme.generate({ prompt: 'Credit again' })).status).toBe('succeeded');

    const audit = await supertest(service.url).get('/audit').set(as(testKeys.admin)).expect(200);
    expect(audit.body.data).toMatchObject([
      { action: 'provider.resumed', target: 'openai:account', actor: { type: 'api_key', tenant: 'admin' } },
    ]);
  });
});
