import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { jobThat } from '../support/caller.ts';
import { readEvents } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { queryRedis } from '../support/redis.ts';
import { createEnvironment, imageCalls, type TestEnvironment } from '../support/service-environment.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';

// Processes need seconds to start, on a busy machine many seconds.
vi.setConfig({ testTimeout: 90_000 });

let environment: TestEnvironment;
let here: ServiceProcess;
let there: ServiceProcess;
let worker: ServiceProcess;
beforeAll(async () => {
  environment = await createEnvironment();
  const start = (ROLES: string) => startServiceProcess({ ...environment.env, ROLES });
  [here, there, worker] = await Promise.all([start('api'), start('api'), start('worker,webhooks')]);
});
afterAll(async () => {
  await Promise.all([here, there, worker].map((each) => each?.stop()));
  await environment?.remove();
});

describe('a deployment of several processes', () => {
  it('a hundred equal requests to two processes create one job and one image', async () => {
    const key = randomUUID();
    const responses = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        (i % 2 ? here : there).acme
          .post('/images')
          .set('idempotency-key', key)
          .send({ prompt: 'A hundred times' })
          // A replay returns 200 once the job has ended.
          .expect(({ status }) => expect([200, 202]).toContain(status)),
      ),
    );
    const [id, ...others] = new Set(responses.map((response) => response.body.id));
    expect(others).toEqual([]);
    expect(responses.filter((response) => !response.headers['idempotent-replayed'])).toHaveLength(1);

    const job = await there.acme.ended(id);
    expect(job.status).toBe('succeeded');
    expect(job.images).toHaveLength(1);
    expect(imageCalls(environment.studio, 'A hundred times')).toHaveLength(1);
  });

  it('a cancel through one process aborts the call in another and reports a possible charge', async () => {
    const prompt = `Hangs [studio:hang] ${randomUUID()}`;
    const { id } = await here.acme.submit({ prompt });
    await jobThat(there.acme, id, (job) => job.stage === 'generating');
    const { body } = await there.acme.post(`/images/${id}/cancel`).expect(200);

    // The response waits a second for the worker, so a job that still runs here needed longer than that.
    expect(body).toMatchObject({
      status: 'canceled',
      cost: { billing: 'possible', micro_usd: null },
      attempts: [{ state: 'uncertain' }],
    });
    expect(body.cancel_requested_at).not.toBeNull();
    // The provider notices the closed connection a moment later.
    await eventually(() => {
      const calls = imageCalls(environment.studio, prompt);
      expect(calls.map(({ aborted }) => aborted)).toEqual([true]);
    });
  });

  it('any API process streams every change of a job', async () => {
    const { id } = await here.acme.submit({ prompt: 'Seen from afar [studio:latency=300]' });
    const events = await readEvents(there.url, id);
    expect(events.map(({ type, stage }) => [type, stage])).toEqual([
      ['image.queued', null],
      ['image.started', null],
      ['image.progress', 'generating'],
      ['image.progress', 'storing'],
      ['image.progress', 'storing'],
      ['image.succeeded', null],
    ]);
  });

  it('a job whose task was lost still finishes, and its Idempotency-Key still works', async () => {
    const key = randomUUID();
    const submit = (process: ServiceProcess) =>
      process.acme.post('/images').set('idempotency-key', key).send({ prompt: 'Lost and found' });
    await worker.stop();
    const first = await submit(here).expect(202);
    const { REDIS_URL = '', REDIS_KEY_PREFIX } = environment.env;
    const lost = await queryRedis(REDIS_URL, async (redis) => {
      const names = await redis.keys(`{${REDIS_KEY_PREFIX}-queue-*`);
      return names.length > 0 ? redis.del(...names) : 0;
    });
    expect(lost).toBeGreaterThan(0);
    worker = await startServiceProcess({ ...environment.env, ROLES: 'worker' });
    const job = await here.acme.ended(first.body.id);
    const again = await submit(there);

    expect(again.body.id).toBe(first.body.id);
    expect(job.status).toBe('succeeded');
    expect(imageCalls(environment.studio, 'Lost and found')).toHaveLength(1);
  });
});
