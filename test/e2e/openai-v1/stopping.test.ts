import { describe, expect, it, onTestFinished } from 'vitest';
import { type OpenAiCall, startGeneration } from '../../support/openai-requests.ts';
import { startServiceIn, type TestService } from '../../support/service.ts';
import { createEnvironment } from '../../support/service-environment.ts';

/** Starts an API process that is about to stop, and a worker. */
async function processes(overrides: Record<string, string> = {}) {
  const environment = await createEnvironment();
  onTestFinished(environment.remove);
  const api = await startServiceIn(environment, { ROLES: 'api', ...overrides });
  const worker = await startServiceIn(environment, { ROLES: 'api,worker' });
  onTestFinished(worker.close);
  return { api, worker };
}

/** Waits until the provider works on the only job. */
async function running({ acme }: TestService): Promise<string> {
  const first = async () => (await acme.get('/images').expect(200)).body.data[0];
  await expect.poll(async () => (await first())?.stage, { timeout: 20_000 }).toBe('generating');
  return (await first()).id;
}

describe('a stopping process with requests that wait for images', () => {
  it('lets them wait for their images within the grace period', async () => {
    const { api, worker } = await processes({ SHUTDOWN_GRACE_S: '20' });
    const { response } = startGeneration(api.url, { prompt: 'Nearly done [studio:latency=1500]' });
    await running(worker);
    const closed = api.close();
    expect(await response).toMatchObject({ status: 200, body: { data: [{ b64_json: expect.any(String) }] } });
    await closed;
  });

  it.each([
    ['without a mark', {}, {}],
    ['of an official SDK', { 'x-stainless-retry-count': '0' }, { 'x-stainless-retry-count': '1' }],
    ['with a key', { 'idempotency-key': 'deploy' }, { 'idempotency-key': 'deploy' }],
  ])('refuses a request %s at the end of the grace period, and its retry joins the job', async (...given) => {
    const [, headers, retryHeaders] = given;
    const { api, worker } = await processes({ SHUTDOWN_GRACE_S: '0' });
    const prompt = 'Long [studio:latency=2500]';
    const { response } = startGeneration(api.url, { prompt }, { headers });
    const id = await running(worker);
    await api.close();
    expect(await response).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1', 'x-should-retry': 'true', 'x-darkroom-job-id': id },
      body: { code: 'shutting_down', retryable: true, error: { code: 'shutting_down' } },
    });
    const again = await startGeneration(worker.url, { prompt }, { headers: retryHeaders }).response;
    expect(again).toMatchObject({ status: 200, headers: { 'x-darkroom-job-id': id } });
    expect((await worker.acme.job(id)).attempts).toMatchObject([{ state: 'stored' }]);
  });

  it.each([
    ['an error event to a stream', { stream: true }, (text: string) => text.slice(text.indexOf('{'))],
    ['an error in the body after white space', {}, (text: string) => text],
  ])('sends %s at the end of the grace period', async (_form, fields, jsonOf) => {
    const { api, worker } = await processes({ SHUTDOWN_GRACE_S: '0', V1_KEEP_ALIVE_S: '1' });
    const call: OpenAiCall = startGeneration(api.url, { prompt: 'Long [studio:latency=6000]', ...fields });
    const begun = new Promise((resolve) => call.request.once('response', resolve));
    const id = await running(worker);
    await begun;
    await api.close();
    const { status, text } = await call.response;
    expect(status).toBe(200);
    expect(JSON.parse(jsonOf(text))).toMatchObject({ error: { code: 'shutting_down' } });
    await worker.acme.post(`/images/${id}/cancel`).expect(200);
  });
});
