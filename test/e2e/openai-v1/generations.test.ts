import OpenAI, { APIError, NotFoundError } from 'openai';
import { beforeAll, describe, expect, it } from 'vitest';
import { startService, type TestService } from '../../support/service.ts';
import { imageCalls, testKeys } from '../../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService({ V1_MODEL_MAP: 'dall-e-3=gpt-image-2.6-flare' });
  return service.close;
});

const client = (options: { base?: string; maxRetries?: number } = {}) =>
  new OpenAI({
    apiKey: testKeys.acme,
    baseURL: `${service.url}${options.base ?? '/v1'}`,
    maxRetries: options.maxRetries ?? 2,
  });

const isPng = (base64: string | undefined) =>
  Buffer.from(base64 ?? '', 'base64')
    .subarray(1, 4)
    .toString() === 'PNG';

describe('the official client', () => {
  it.each(['/v1', '/v1/', '', '/'])('generates an image with the base URL path %j', async (base) => {
    const response = await client({ base }).images.generate({ prompt: `A fox at ${base || 'the root'}` });
    expect(response.data).toHaveLength(1);
    expect(isPng(response.data?.[0]?.b64_json)).toBe(true);
    expect(response.usage?.total_tokens).toBeGreaterThan(0);
    expect(response.usage?.input_tokens_details).toEqual({
      text_tokens: response.usage?.input_tokens,
      image_tokens: 0,
    });
  });

  it('gets n different images from one job, which is the job of the header', async () => {
    const { data, response } = await client().images.generate({ prompt: 'Three foxes', n: 3 }).withResponse();
    expect(new Set(data.data?.map(({ b64_json }) => b64_json)).size).toBe(3);
    const job = await service.acme.job(response.headers.get('x-darkroom-job-id') ?? '');
    expect(job).toMatchObject({ status: 'succeeded', request: { n: 3 } });
    expect(response.headers.get('x-darkroom-cost-micro-usd')).toBe(String(job.cost.micro_usd));
    const bytes = await service.acme.image(job.id, 1);
    expect(data.data?.[1]?.b64_json).toBe(bytes.toString('base64'));
  });

  it('gets a link that works without a key if it asks for links', async () => {
    const { data } = await client().images.generate({ prompt: 'A linked fox', response_format: 'url' });
    const bytes = await fetch(data?.[0]?.url ?? '').then((response) => response.arrayBuffer());
    expect(Buffer.from(bytes).subarray(1, 4).toString()).toBe('PNG');
  });

  it('gets a completed event per image from a stream', async () => {
    const stream = await client().images.generate({ prompt: 'A streamed fox', n: 2, stream: true });
    const events = [];
    for await (const event of stream) events.push(event);
    expect(events.map(({ type }) => type)).toEqual([
      'image_generation.completed',
      'image_generation.completed',
    ]);
    for (const event of events) expect(isPng(event.b64_json)).toBe(true);
    const { usage } = await service.acme.job((events[0] as unknown as { job_id: string }).job_id);
    const tokens = events.map((event) => ('usage' in event ? event.usage.total_tokens : 0));
    expect(tokens.reduce((sum, each) => sum + each, 0)).toBe(usage?.total_tokens);
  });

  it('may send null for every field that its caller left out', async () => {
    const body = { prompt: 'A fox of nulls', n: null, size: null, quality: null, user: null } as never;
    const response = await client().images.generate(body);
    expect((response as { data?: unknown[] }).data).toHaveLength(1);
  });

  it('gets a mapped model for a retired name, with a warning and both names in headers', async () => {
    const { data, response } = await client()
      .images.generate({ model: 'dall-e-3', prompt: 'A fox of old', quality: 'hd', size: '1792x1024' })
      .withResponse();
    expect(response.headers.get('x-darkroom-requested-model')).toBe('dall-e-3');
    expect(response.headers.get('x-darkroom-model')).toBe('gpt-image-2.6-flare');
    expect(data).toMatchObject({ size: '1536x1024', quality: 'high' });
    expect((data as { warnings?: string[] }).warnings?.toSorted()).toEqual([
      'model dall-e-3 was replaced by gpt-image-2.6-flare.',
      'quality hd was replaced by high.',
      'size 1792x1024 was replaced by 1536x1024.',
    ]);
  });

  it('reads in warnings that an image of several is missing, also in a stream', async () => {
    const body = { prompt: 'Foxes without one [studio:moderation,times=1]', n: 2, style: 'vivid' } as const;
    const plain = await client().images.generate({ ...body, prompt: `${body.prompt} 1` });
    const expected = [expect.stringContaining('style'), expect.stringContaining('moderation_blocked')];
    expect(plain).toMatchObject({ data: [{}], warnings: expected });
    const events = [];
    for await (const event of await client().images.generate({ ...body, stream: true })) events.push(event);
    expect(events).toMatchObject([{ type: 'image_generation.completed', warnings: expected }]);
  });

  it('sees no sum in the cost header if the cost of a call is unknown', async () => {
    const prompt = 'A fox after a lost call [studio:hang-up,times=1]';
    const { response } = await client().images.generate({ prompt }).withResponse();
    const job = await service.acme.job(response.headers.get('x-darkroom-job-id') ?? '');
    expect(job).toMatchObject({ status: 'succeeded', cost: { micro_usd: null } });
    expect(response.headers.get('x-darkroom-cost-micro-usd')).toBeNull();
  });

  it('sees the cost of a failed job in a header', async () => {
    const failure = await client({ maxRetries: 0 })
      .images.generate({ prompt: 'A fox of text [studio:not-an-image]' })
      .catch((error: APIError) => error);
    const { status, headers } = failure as APIError;
    const job = await service.acme.job(headers?.get('x-darkroom-job-id') ?? '');
    expect(status).toBe(424);
    expect(job.cost.micro_usd).toBeGreaterThan(0);
    expect(headers?.get('x-darkroom-cost-micro-usd')).toBe(String(job.cost.micro_usd));
  });

  it('gets 413 that names the limit for a body that is too large', async () => {
    const body = { prompt: 'A fox', user: 'x'.repeat(800_000) };
    await expect(client().images.generate(body)).rejects.toMatchObject({
      status: 413,
      message: expect.stringContaining('786432 bytes'),
    });
  });

  it('gets 400 with the parameter for a value that every object inherits, and pays nothing', async () => {
    const calls = service.studio.calls.length;
    for (const param of ['quality', 'size'] as const) {
      for (const value of ['constructor', '__proto__']) {
        const call = client().images.generate({ prompt: 'A fox', [param]: value });
        await expect(call).rejects.toMatchObject({ status: 400, param });
      }
    }
    expect(service.studio.calls).toHaveLength(calls);
  });

  it('gets 404 model_not_found for a retired name without an entry in the map', async () => {
    const failure = await client()
      .images.generate({ model: 'dall-e-2', prompt: 'A fox' })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NotFoundError);
    expect(failure).toMatchObject({ status: 404, code: 'model_not_found' });
  });

  it('gets 400 moderation_blocked for refused content, once', async () => {
    const prompt = 'Refused [studio:moderation=violence]';
    const failure = await client()
      .images.generate({ prompt })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      status: 400,
      code: 'moderation_blocked',
      type: 'image_generation_user_error',
    });
    expect(service.studio.calls.filter((call) => call.prompt === prompt)).toHaveLength(1);
  });

  it('throws the late failure of a stream with its code', async () => {
    const stream = await client().images.generate({
      prompt: 'Refused in a stream [studio:moderation=violence]',
      stream: true,
    });
    const failure = await (async () => {
      for await (const _ of stream);
    })().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(APIError);
    expect(failure).toMatchObject({ code: 'moderation_blocked' });
  });

  it('lists usable models on one page and resolves mapped names', async () => {
    const models = await client().models.list();
    expect(models.data.map(({ id }) => id)).toContain('gpt-image-2.6-flare');
    expect(models.data.map(({ id }) => id)).not.toContain('dall-e-3');
    expect(await client().models.retrieve('dall-e-3')).toMatchObject({ id: 'dall-e-3', object: 'model' });
    await expect(client().models.retrieve('no-such-model')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });

  it('is directed from variations to edits', async () => {
    const response = await fetch(`${service.url}/v1/images/variations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${testKeys.acme}` },
    });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringContaining('/v1/images/edits') },
    });
  });
});

describe('a request without Authorization', () => {
  it('may carry its key in the header api-key', async () => {
    const response = await fetch(`${service.url}/v1/models?api-version=2026-01-01`, {
      headers: { 'api-key': testKeys.acme },
    });
    expect(response.status).toBe(200);
  });
});

describe('Prefer: respond-async', () => {
  const post = (prompt: string, prefer: string) =>
    fetch(`${service.url}/v1/images/generations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${testKeys.acme}`, 'content-type': 'application/json', prefer },
      body: JSON.stringify({ prompt }),
    });

  it('returns the job after at most the wait if the caller also prefers a wait', async () => {
    const slow = await post('A slow fox [studio:latency=20000]', 'respond-async, wait=1');
    expect(slow.status).toBe(202);
    expect(slow.headers.get('preference-applied')).toBe('wait=1');
    const { id } = (await slow.json()) as { id: string };
    await service.acme.post(`/images/${id}/cancel`).expect(200);
  });

  it('returns the accepted job at once', async () => {
    const response = await post('An asynchronous fox', 'respond-async');
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as { id: string };
    expect(response.headers.get('x-darkroom-job-id')).toBe(id);
    expect(await service.acme.ended(id)).toMatchObject({ status: 'succeeded' });
  });
});

describe('two equal requests side by side', () => {
  it('are two jobs with two calls', async () => {
    const prompt = 'Twin foxes';
    const responses = await Promise.all(
      [1, 2].map(() => client().images.generate({ prompt }).withResponse()),
    );
    const ids = responses.map(({ response }) => response.headers.get('x-darkroom-job-id'));
    expect(new Set(ids).size).toBe(2);
    expect(imageCalls(service.studio).filter((call) => call.prompt === prompt)).toHaveLength(2);
  });
});
