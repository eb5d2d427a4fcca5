import { describe, expect, it, type TestContext, vi } from 'vitest';
import type { Studio } from '../../src/local/studio/studio.ts';
import { noiseImage } from '../support/images.ts';
import { startServiceIn } from '../support/service.ts';
import { createEnvironment, type TestEnvironment } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';

// Processes take many seconds to start on a busy machine, and these tests run side by side.
vi.setConfig({ testTimeout: 120_000 });

const submissions = ({ calls }: Studio) => calls.filter(({ path }) => path === '/v1/responses');
const polls = ({ calls }: Studio) =>
  calls.filter(({ method, path }) => method === 'GET' && path.startsWith('/v1/responses/'));
const cancellations = ({ calls }: Studio) => calls.filter(({ path }) => path.endsWith('/cancel'));

/**
 * Starts an API that uses the Responses API. Every worker is a service of its own: in this process, or a process that a test
 * can kill.
 */
async function deployment({ onTestFinished }: TestContext, overrides: Record<string, string> = {}) {
  const environment = await createEnvironment({ OPENAI_MODE: 'responses', ...overrides });
  onTestFinished(environment.remove);
  // The API process never calls the provider, so an unreachable address must not matter.
  const nowhere = { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' };
  const api = await startServiceIn(environment, { ROLES: 'api', ...nowhere });
  onTestFinished(api.close);
  return {
    environment,
    api,
    async startWorker() {
      const worker = await startServiceIn(environment, { ROLES: 'worker' });
      let closed: Promise<void> | undefined;
      const close = () => {
        closed ??= worker.close();
        return closed;
      };
      onTestFinished(close);
      return { close };
    },
    async startWorkerProcess() {
      const worker = await startServiceProcess({ ...environment.env, ROLES: 'worker' });
      onTestFinished(() => worker.stop('SIGKILL').then(() => undefined));
      return worker;
    },
  };
}

/** Resolves when workers have polled so many calls, which means that their handles are in the ledger. */
async function inFlight({ studio }: TestEnvironment, count = 1): Promise<void> {
  const polled = () => new Set(polls(studio).map(({ path }) => path));
  await vi.waitFor(() => expect(polled().size).toBe(count), { timeout: 30_000 });
}

describe.concurrent('background calls', () => {
  it('a background call stores the image, the revised prompt and the cost', async (context) => {
    const { environment, api, startWorker } = await deployment(context);
    await startWorker();
    const job = await api.acme.generate({
      prompt: 'A lighthouse in a storm',
      model: 'gpt-image-2',
      quality: 'low',
    });
    expect(job).toMatchObject({
      status: 'succeeded',
      images: [{ content_type: 'image/png' }],
      prompt: { revised: 'A lighthouse in a storm' },
      attempts: [{ state: 'stored' }],
      cost: { billing: 'charged', micro_usd: expect.any(Number) },
    });
    expect(submissions(environment.studio)).toHaveLength(1);
  });

  it('another worker finishes the background call of a killed worker without a second payment', async (context) => {
    const { environment, api, startWorkerProcess } = await deployment(context);
    const worker = await startWorkerProcess();
    const { id } = await api.acme.submit({ prompt: 'Outlives its worker [studio:latency=6000]' });
    await inFlight(environment);
    expect(await worker.stop('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    await startWorkerProcess();

    const job = await api.acme.ended(id);
    expect(job.status).toBe('succeeded');
    expect(job.images).toHaveLength(1);
    expect(job.attempts.map((attempt) => attempt.state)).toEqual(['stored']);
    expect(environment.studio.chargedImages()).toBe(1);
    expect(submissions(environment.studio)).toHaveLength(1);
    expect(cancellations(environment.studio)).toEqual([]);
  });

  it('the next worker finishes the background call of a worker that stopped for a deploy', async (context) => {
    const { environment, api, startWorker } = await deployment(context, { SHUTDOWN_GRACE_S: '0' });
    const worker = await startWorker();
    const { id } = await api.acme.submit({ prompt: 'Handed on [studio:latency=4000]' });
    await inFlight(environment);
    await worker.close();
    expect((await api.acme.job(id)).attempts.map((attempt) => attempt.state)).toEqual(['calling']);
    await startWorker();

    const job = await api.acme.ended(id);
    expect(job.attempts.map((attempt) => attempt.state)).toEqual(['stored']);
    expect(environment.studio.chargedImages()).toBe(1);
    expect(cancellations(environment.studio)).toEqual([]);
  });

  it('canceling or erasing a job cancels its call at the provider, even if no worker runs the job', async (context) => {
    const { environment, api, startWorker } = await deployment(context, { SHUTDOWN_GRACE_S: '0' });
    const worker = await startWorker();
    const { id } = await api.acme.submit({ prompt: 'Held by a worker [studio:hang]' });
    await inFlight(environment);
    await api.acme.post(`/images/${id}/cancel`).expect(200);
    expect(await api.acme.ended(id)).toMatchObject({ status: 'canceled', cost: { billing: 'possible' } });
    expect(cancellations(environment.studio)).toHaveLength(1);

    const canceled = await api.acme.submit({ prompt: 'Held by no worker [studio:hang]' });
    const erased = await api.acme.submit({ prompt: 'Also held by no worker [studio:hang]' });
    await inFlight(environment, 3);
    await worker.close();
    const response = await api.acme.post(`/images/${canceled.id}/cancel`).expect(200);
    expect(response.body).toMatchObject({ status: 'canceled', cost: { billing: 'possible' } });
    await api.acme.delete(`/images/${erased.id}`).expect(204);
    expect(cancellations(environment.studio)).toHaveLength(1);
    await startWorker();
    await vi.waitFor(() => expect(cancellations(environment.studio)).toHaveLength(3), { timeout: 30_000 });
  });
});

it('refuses a markup in background mode before a job exists', async (context) => {
  const { api } = await deployment(context);
  const data = (await noiseImage(64, 64)).toString('base64');
  const body = { prompt: 'A harbor', images: [{ data }], markup: { data } };
  const response = await api.acme.post('/images').send(body);
  expect(response).toMatchObject({
    status: 422,
    body: { code: 'validation_failed', errors: [{ pointer: '/markup' }] },
  });
  expect((await api.acme.get('/images')).body.data).toEqual([]);
});
