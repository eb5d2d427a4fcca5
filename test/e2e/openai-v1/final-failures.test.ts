import { beforeAll, describe, expect, it } from 'vitest';
import type { ImageJobView } from '../../../src/domain/job-view.ts';
import { manageKeysOf } from '../../support/managed-keys.ts';
import { startGeneration } from '../../support/openai-requests.ts';
import { queryRedis } from '../../support/redis.ts';
import { startService, type TestService } from '../../support/service.ts';
import { imageCalls, testKeys } from '../../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService({ V1_MODEL_MAP: '*=gpt-image-2', MAX_OPEN_STREAMS: '2' });
  return service.close;
});

const generate = (body: object, headers: Record<string, string> = {}) =>
  startGeneration(service.url, body, { headers }).response;

/** Waits until a job with a prompt runs at the provider. */
async function runningJob(prompt: string): Promise<ImageJobView> {
  await expect.poll(() => imageCalls(service.studio, prompt).length, { timeout: 20_000 }).toBe(1);
  const { body } = await service.acme.get('/images').expect(200);
  return body.data.find((job: ImageJobView) => job.request?.prompt === prompt);
}

/** Deletes the images of a job as the sweeper does at the end of their retention. */
const endRetention = (id: string) =>
  queryRedis(service.env.REDIS_URL ?? '', async (redis) => {
    const [key = ''] = await redis.keys(`*${service.env.REDIS_KEY_PREFIX}*:job:${id}`);
    const job = JSON.parse((await redis.get(key)) ?? '');
    await redis.set(key, JSON.stringify({ ...job, images: [], mediaGone: true }));
  });

describe('a model name that no header can repeat', () => {
  it('is refused before a payment, and takes no slot of a waiting caller', async () => {
    for (const model of ['\ud800', 'x\udfff', 'x\u0000']) {
      const { status, headers, body } = await generate({ prompt: 'A fox without a name', model });
      expect([status, headers['x-should-retry'], body.error.param]).toEqual([400, 'false', 'model']);
    }
    expect(imageCalls(service.studio, 'A fox without a name')).toHaveLength(0);
    expect(await generate({ prompt: 'A named fox', model: 'ein Füchslein\n😀%' })).toMatchObject({
      status: 200,
      headers: { 'x-darkroom-requested-model': encodeURI('ein Füchslein\n😀%') },
    });
  });
});

describe('an erased job', () => {
  it('ends the wait of its caller with a final error', async () => {
    const prompt = 'An erased fox [studio:latency=20000]';
    const { response } = startGeneration(service.url, { prompt });
    const { id } = await runningJob(prompt);
    await service.acme.delete(`/images/${id}`).expect(204);
    expect(await response).toMatchObject({
      status: 410,
      headers: { 'x-should-retry': 'false', 'x-darkroom-job-id': id },
      body: { code: 'erased', retryable: false, error: { code: 'erased' } },
    });
  });

  it('ends a stream with an error event', async () => {
    const prompt = 'An erased fox in a stream [studio:latency=20000]';
    const { response } = startGeneration(service.url, { prompt, stream: true });
    const { id } = await runningJob(prompt);
    await service.acme.delete(`/images/${id}`).expect(204);
    expect((await response).text).toMatch(/event: error\ndata: .*"code":"erased"/);
  });

  it.each([
    ['the images', {}],
    ['the job', { prefer: 'respond-async' }],
  ])('refuses its Idempotency-Key for good to a caller that wants %s', async (name, headers) => {
    const key = { 'idempotency-key': `erased-${name.length}` };
    const first = await generate({ prompt: 'A fox to erase' }, key);
    await service.acme.delete(`/images/${first.headers['x-darkroom-job-id']}`).expect(204);
    expect(await generate({ prompt: 'A fox to erase' }, { ...key, ...headers })).toMatchObject({
      status: 410,
      headers: { 'x-should-retry': 'false' },
      body: { code: 'erased' },
    });
  });
});

describe('a job without images, because their retention ended', () => {
  it('is a final error for a request with its Idempotency-Key, also in a stream', async () => {
    const key = { 'idempotency-key': 'gone-media' };
    const first = await generate({ prompt: 'A fox of yesterday' }, key);
    await endRetention(`${first.headers['x-darkroom-job-id']}`);
    expect(await generate({ prompt: 'A fox of yesterday' }, key)).toMatchObject({
      status: 404,
      headers: { 'x-should-retry': 'false' },
      body: { code: 'not_found', error: { message: expect.stringContaining('deleted') } },
    });
    const streamed = { 'idempotency-key': 'gone-streamed-media' };
    const body = { prompt: 'A streamed fox of yesterday', stream: true };
    await endRetention(`${(await generate(body, streamed)).headers['x-darkroom-job-id']}`);
    expect((await generate(body, streamed)).text).toMatch(/event: error\ndata: .*"code":"not_found"/);
  });
});

describe('a key that is revoked while its caller waits', () => {
  it('ends the wait with a final refusal', async () => {
    const keys = manageKeysOf(service.url);
    const made = await keys.create({ tenant: 'acme' });
    const prompt = 'A fox of a revoked key [studio:latency=20000]';
    const { response } = startGeneration(service.url, { prompt }, { key: made.key });
    const { id } = await runningJob(prompt);
    await keys.operator.delete(`/keys/${made.id}`).expect(204);
    expect(await response).toMatchObject({
      status: 401,
      headers: { 'x-should-retry': 'false', 'x-darkroom-job-id': id },
      body: { code: 'unauthorized' },
    });
    await service.acme.post(`/images/${id}/cancel`).expect(200);
  });
});

describe('short calls in sequence', () => {
  it('need one slot of a waiting caller, because each frees it at the end of its response', async () => {
    for (const no of [1, 2, 3, 4]) {
      const response = await fetch(`${service.url}/v1/images/generations`, {
        method: 'POST',
        headers: { authorization: `Bearer ${testKeys.acme}`, 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: `A fox in sequence ${no}` }),
      });
      await response.arrayBuffer();
      expect(response.status).toBe(200);
    }
  });
});
