import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, type TestContext, vi } from 'vitest';
import { createCaller, jobThat } from '../support/caller.ts';
import { openEvents, streamedEvents } from '../support/event-stream.ts';
import { messagesOf, openModern } from '../support/mcp-requests.ts';
import { startTestRedis } from '../support/redis.ts';
import { startServiceIn } from '../support/service.ts';
import { createEnvironment, imageCalls } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';

// Processes need seconds to start, on a busy machine many seconds. The tests run side by side, each in an environment of its
// own.
vi.setConfig({ testTimeout: 90_000 });

const cleanEnd = { code: 0, signal: null };

async function environmentOf(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  overrides: Record<string, string> = {},
) {
  const environment = await createEnvironment(overrides);
  onTestFinished(environment.remove);
  return environment;
}

describe.concurrent('a stopping worker', () => {
  it('a stopping worker finishes its job within the grace period and starts no other', async ({
    onTestFinished,
  }) => {
    const environment = await environmentOf({ onTestFinished });
    const api = await startServiceIn(environment, { ROLES: 'api' });
    onTestFinished(api.close);
    const worker = await startServiceProcess({ ...environment.env, ROLES: 'worker' });
    const { id } = await api.acme.submit({ prompt: 'Nearly done [studio:latency=1500]' });
    await jobThat(api.acme, id, (job) => job.stage === 'generating');
    const stopped = worker.stop('SIGTERM');
    await vi.waitFor(() => expect(worker.log.join()).toContain('"msg":"stopping"'), { timeout: 5000 });
    const late = await api.acme.submit({ prompt: 'Too late for this worker' });

    expect(await stopped).toEqual(cleanEnd);
    expect((await api.acme.job(id)).status).toBe('succeeded');
    expect((await api.acme.job(late.id)).status).toBe('queued');
    expect(imageCalls(environment.studio).map((call) => call.charged)).toEqual(['charged']);
  });

  it('a stopping worker releases a longer job, and another worker finishes it', async ({
    onTestFinished,
  }) => {
    const environment = await environmentOf({ onTestFinished }, { SHUTDOWN_GRACE_S: '0' });
    const api = await startServiceIn(environment, { ROLES: 'api' });
    onTestFinished(api.close);
    const worker = await startServiceProcess({ ...environment.env, ROLES: 'worker' });
    const { id } = await api.acme.submit({ prompt: 'Handed over [studio:latency=1500]' });
    await jobThat(api.acme, id, (job) => job.stage === 'generating');
    expect(await worker.stop('SIGTERM')).toEqual(cleanEnd);
    expect((await api.acme.job(id)).status).toBe('running');

    const next = await startServiceIn(environment, { ROLES: 'worker' });
    onTestFinished(next.close);
    const job = await api.acme.ended(id);
    expect(job.status).toBe('succeeded');
    expect(job.attempts.map((attempt) => attempt.state)).toEqual(['uncertain', 'stored']);
    expect(job.cost).toMatchObject({ micro_usd: null, billing: 'charged' });
  });

  it('a job with on_uncertain fail is not paid twice after a restart', async ({ onTestFinished }) => {
    const environment = await environmentOf({ onTestFinished }, { SHUTDOWN_GRACE_S: '0' });
    const first = await startServiceIn(environment);
    const { id } = await first.acme.submit({
      prompt: 'Once is enough [studio:latency=5000]',
      on_uncertain: 'fail',
    });
    await jobThat(first.acme, id, (job) => job.stage === 'generating');
    await first.close();

    const second = await startServiceIn(environment);
    onTestFinished(second.close);
    const job = await second.acme.ended(id);
    expect(job).toMatchObject({
      status: 'failed',
      error: { code: 'provider_outcome_unknown', billing: 'possible' },
      cost: { micro_usd: null, billing: 'possible' },
    });
    expect(imageCalls(environment.studio)).toHaveLength(1);
  });
});

describe.concurrent('a process that stops while it runs a job', () => {
  it('a stopping process refuses jobs, reports not ready and serves reads until its job has ended', async ({
    onTestFinished,
  }) => {
    const environment = await environmentOf({ onTestFinished }, { SHUTDOWN_GRACE_S: '60' });
    const service = await startServiceIn(environment);
    const { acme, url } = service;
    const failed = await acme.generate({ prompt: 'Refused [studio:moderation]' });
    const { id } = await acme.submit({ prompt: 'In flight [studio:hang]' });
    await jobThat(acme, id, (job) => job.stage === 'generating');
    const closed = service.close();

    const ready = await acme.get('/readyz').expect(503);
    expect(ready.body).toMatchObject({ status: 'unavailable', checks: { running: { ok: false } } });
    for (const refused of [
      acme.post('/images').send({ prompt: 'Too late' }),
      acme.post(`/images/${failed.id}/retry`),
    ]) {
      const { body, headers } = await refused.expect(503);
      expect(body).toMatchObject({ code: 'shutting_down', retryable: true });
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    }
    expect((await acme.job(id)).status).toBe('running');
    expect((await acme.get(`/images/${id}?wait=50`).expect(200)).body.status).toBe('running');
    expect((await acme.get('/images').expect(200)).body.data).toHaveLength(2);

    // The process ends with its last job.
    await acme.post(`/images/${id}/cancel`).expect(200);
    await closed;
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
  });
});

describe.concurrent('a process without its Redis', () => {
  it('a process whose Redis has died stops within 10 seconds after the grace period of its running job', async ({
    onTestFinished,
  }) => {
    const redis = await startTestRedis();
    onTestFinished(redis.stop);
    const environment = await environmentOf(
      { onTestFinished },
      { REDIS_URL: redis.url, SHUTDOWN_GRACE_S: '0' },
    );
    const service = await startServiceIn(environment);
    const { id } = await service.acme.submit({ prompt: 'Interrupted [studio:hang]' });
    await jobThat(service.acme, id, (job) => job.stage === 'generating');
    await redis.kill9();
    await vi.waitFor(() => service.acme.get('/readyz').expect(503), { timeout: 10_000 });

    const startedAt = performance.now();
    await service.close();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

describe.concurrent('a stopping API process', () => {
  it('a stopping process ends although a client does not read its download', async ({ onTestFinished }) => {
    const environment = await environmentOf({ onTestFinished });
    const service = await startServiceProcess(environment.env);
    const job = await service.acme.generate({ prompt: 'Requested and not read' });
    const link = new URL(job.images[0]?.url ?? '');
    // More bytes than the buffers between service and client hold.
    const [file = ''] = await readdir(join(environment.dataDir, 'images', 'acme', job.id));
    await writeFile(join(environment.dataDir, 'images', 'acme', job.id, file), Buffer.alloc(32 << 20));
    const reader = connect(Number(link.port), '127.0.0.1');
    onTestFinished(() => void reader.destroy());
    reader.on('error', () => {});
    reader.write(`GET ${link.pathname}${link.search} HTTP/1.1\r\nhost: here\r\n\r\n`);
    await once(reader, 'readable');

    expect(await service.stop('SIGTERM')).toEqual(cleanEnd);
  });

  it('a stopping process responds to waiting callers, ends streams at once and loses no job', async ({
    onTestFinished,
  }) => {
    const environment = await environmentOf({ onTestFinished });
    const api = await startServiceIn(environment, { ROLES: 'api' });
    const waiting = createCaller(api.url)
      .post('/images')
      .set('prefer', 'wait=50')
      .send({ prompt: 'Waited for' })
      .then((response) => response);
    // The request waits from the moment at which its job is in the list.
    const listed = async () => {
      const { body } = await api.acme.get('/images').expect(200);
      expect(body.data).toHaveLength(1);
      return String(body.data[0].id);
    };
    const id = await vi.waitFor(listed, { timeout: 10_000 });
    const events = streamedEvents(await openEvents(api.url, id));
    expect(await events.next()).toMatchObject({ value: { name: 'image.queued' } });
    const listening = { method: 'subscriptions/listen', params: { notifications: { taskIds: [id] } } };
    const subscription = await openModern(api, listening);
    const [response, { done }] = await Promise.all([waiting, events.next(), api.close()]);

    expect(response.status).toBe(202);
    expect(response.body).toMatchObject({ id, status: 'queued' });
    expect(done).toBe(true);
    expect((await messagesOf(subscription)).at(-1)).toMatchObject({ result: { resultType: 'complete' } });

    const again = await startServiceIn(environment);
    onTestFinished(again.close);
    expect((await again.acme.ended(id)).status).toBe('succeeded');
    expect(await again.acme.image(id)).not.toHaveLength(0);
  });
});
