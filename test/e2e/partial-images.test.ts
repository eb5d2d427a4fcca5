import { readdir } from 'node:fs/promises';
import OpenAI, { APIError } from 'openai';
import sharp from 'sharp';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { eventsOf, openEvents, openTenantEvents, readEvents } from '../support/event-stream.ts';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls, testKeys } from '../support/service-environment.ts';
import { startEndpointServer } from '../support/webhook-endpoints.ts';

/** Tests previews of images that are not finished, from the provider to the callers. */

let service: TestService;
beforeAll(async () => {
  service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'true' });
  return service.close;
});

const slow = '[studio:latency=600]';
const openai = () => new OpenAI({ apiKey: testKeys.acme, baseURL: `${service.url}/v1`, maxRetries: 0 });

const filesOf = async (id: string) =>
  (await readdir(`${service.dataDir}/images`, { recursive: true })).filter((name) => name.includes(`${id}/`));

/** Returns the type and the numbers of each event about an image. */
const shape = (events: Awaited<ReturnType<typeof readEvents>>) =>
  events.flatMap(({ type, partial_image, image }) => {
    if (partial_image) return [`${type} ${partial_image.index}.${partial_image.partial_image_index}`];
    return image ? [`${type} ${image.index}`] : [];
  });

describe('a job with partial_images', () => {
  it('announces each preview with a link while the image is generated', async () => {
    const { id } = await service.acme.submit({ prompt: `A dawn ${slow}`, partial_images: 2 });
    const seen: string[] = [];
    const stream = await openEvents(service.url, id);
    const events = await eventsOf(stream);
    for (const { partial_image: preview, status } of events) {
      if (!preview) continue;
      expect(status).toBe('running');
      const response = await fetch(preview.url);
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(response.headers.get('content-type')).toBe('image/png');
      expect(bytes.length).toBe(preview.size_bytes);
      expect(await sharp(bytes).metadata()).toMatchObject({ width: preview.width, height: preview.height });
      const { body } = await service.acme.get(preview.content_url).expect(200);
      expect(body.equals(bytes)).toBe(true);
      seen.push(preview.sha256);
    }
    expect(shape(events)).toEqual(['image.partial 0.0', 'image.partial 0.1', 'image.progress 0']);
    expect(seen).toHaveLength(2);
    expect(imageCalls(service.studio, 'A dawn')[0]?.parameters).toMatchObject({
      stream: true,
      partial_images: 2,
    });
  });

  it('replays the previews after Last-Event-ID on both event streams, with working links', async () => {
    const all = await openTenantEvents(service.url);
    const { id } = await service.acme.generate({ prompt: 'A noon', partial_images: 3 });
    const events = await readEvents(service.url, id);
    const first = events.find(({ partial_image }) => partial_image);
    const rest = await eventsOf(await openEvents(service.url, id, first?.no));
    expect(shape(rest)).toEqual(['image.partial 0.1', 'image.partial 0.2', 'image.progress 0']);
    expect((await fetch(rest[0]?.partial_image?.url ?? '')).status).toBe(200);
    const ofTenant = (await eventsOf(all, events.length)).filter((event) => event.id === id);
    expect(shape(ofTenant)).toEqual(shape(events));
    const lastEventId = ofTenant.find(({ partial_image }) => partial_image)?.no ?? '';
    const again = await eventsOf(await openTenantEvents(service.url, { lastEventId }), rest.length);
    expect(shape(again.filter((event) => event.id === id))).toEqual(shape(rest));
  });

  it('costs what the provider reports for its previews, and its estimate covers them', async () => {
    const fields = { quality: 'low', size: '1024x1024', model: 'gpt-image-2' };
    const prompt = 'A price';
    const estimates = await Promise.all(
      [0, 2].map(async (partial_images) => {
        const body = { prompt, ...fields, partial_images };
        return (await service.acme.post('/images?dry_run=true').send(body).expect(200)).body.estimate;
      }),
    );
    expect(estimates[1].high_micro_usd - estimates[0].high_micro_usd).toBe(2 * 100 * 30);
    const [plain, previewed] = await Promise.all([
      service.acme.generate({ prompt, ...fields }),
      service.acme.generate({ prompt, ...fields, partial_images: 2 }),
    ]);
    expect((previewed.cost.micro_usd ?? 0) - (plain.cost.micro_usd ?? 0)).toBe(2 * 100 * 30);
  });

  it('never sends previews to webhooks', async () => {
    const endpoint = await startEndpointServer();
    const { id } = await service.acme.submit({
      prompt: 'A hook',
      partial_images: 2,
      webhook: { url: `http://127.0.0.1:${endpoint.port}/` },
    });
    await vi.waitUntil(
      () => endpoint.requests.some(({ body }) => body.includes('"image.succeeded"')),
      20_000,
    );
    expect(shape(await readEvents(service.url, id))).toContain('image.partial 0.1');
    await endpoint.close();
    const types = endpoint.requests.map(({ body }) => JSON.parse(body).type);
    expect([...types].sort()).toEqual(['image.queued', 'image.started', 'image.succeeded']);
  });

  it('erases its previews with the job', async () => {
    const { id } = await service.acme.generate({ prompt: 'A secret', partial_images: 2 });
    const [preview] = (await readEvents(service.url, id)).flatMap(({ partial_image }) => partial_image ?? []);
    expect(await filesOf(id)).toHaveLength(3);
    await service.acme.delete(`/images/${id}`).expect(204);
    expect(await filesOf(id)).toEqual([]);
    await service.acme.get(`/images/${id}/content/0?partial=0`).expect(410);
    expect((await fetch(preview?.url ?? '')).status).toBe(404);
  });

  it('hides its previews from other tenants', async () => {
    const { id } = await service.acme.generate({ prompt: 'Not yours', partial_images: 1 });
    await service.other.get(`/images/${id}/content/0?partial=0`).expect(404);
    await service.acme.get(`/images/${id}/content/0?partial=1`).expect(404);
    await service.acme.get(`/images/${id}/content/0?partial=3`).expect(422);
  });
});

describe('a stream of the provider that fails', () => {
  it.each([
    ['hang-up-mid', 'uncertain'],
    ['no-final', 'uncertain'],
    ['error-event=server_error', 'uncertain'],
  ])(
    'is paid for again after %s only with consent, and both payments are in the ledger',
    async (word, state) => {
      const prompt = `A broken ${word} [studio:${word},times=1]`;
      const job = await service.acme.generate({ prompt, partial_images: 2, on_uncertain: 'retry' });
      expect(job).toMatchObject({ status: 'succeeded', cost: { micro_usd: null } });
      expect(job.attempts.map((attempt) => attempt.state)).toEqual([state, 'stored']);
      expect(imageCalls(service.studio, prompt)).toHaveLength(2);
      const strict = await service.acme.generate({
        prompt: `A strict ${word} [studio:${word}]`,
        partial_images: 2,
        on_uncertain: 'fail',
      });
      expect(strict).toMatchObject({ status: 'failed', error: { billing: 'possible' } });
      expect(strict.attempts.map((attempt) => attempt.state)).toEqual([state]);
    },
  );

  it('ends the job like the 4xx that its error event stands for, although previews came', async () => {
    const prompt = 'A blocked fox [studio:error-event=moderation_blocked]';
    const job = await service.acme.generate({ prompt, partial_images: 2 });
    expect(job).toMatchObject({
      status: 'failed',
      error: { code: 'moderation_blocked', billing: 'none' },
      cost: { micro_usd: 0 },
    });
    expect(shape(await readEvents(service.url, job.id))).toEqual(['image.partial 0.0']);
  });

  it('is no failure if the image comes before its previews', async () => {
    const job = await service.acme.generate({ prompt: 'Early [studio:final-first]', partial_images: 3 });
    expect(job).toMatchObject({ status: 'succeeded' });
    expect(job.attempts).toHaveLength(1);
  });

  it('can be canceled after a preview although it hangs', async () => {
    const { id } = await service.acme.submit({ prompt: 'Stuck [studio:hang-mid]', partial_images: 2 });
    const seen = await eventsOf(await openEvents(service.url, id), 4);
    expect(shape(seen)).toEqual(['image.partial 0.0']);
    await service.acme.post(`/images/${id}/cancel`).expect(200);
    expect(await service.acme.ended(id)).toMatchObject({ status: 'canceled', cost: { billing: 'possible' } });
  });
});

describe('the OpenAI client', () => {
  it('gets previews while the image is generated, then the image', async () => {
    const stream = await openai().images.generate({
      prompt: `An OpenAI dawn ${slow}`,
      stream: true,
      partial_images: 2,
      size: '1024x1024',
      quality: 'low',
      background: 'opaque',
    });
    const events = [];
    let jobId = '';
    for await (const event of stream) {
      events.push(event);
      jobId = (event as unknown as { job_id: string }).job_id;
      if (event.type === 'image_generation.partial_image') {
        expect(await service.acme.job(jobId)).toMatchObject({ status: 'running' });
        expect(event).toMatchObject({
          size: '1024x1024',
          quality: 'low',
          background: 'opaque',
          output_format: 'png',
          created_at: expect.any(Number),
        });
      }
    }
    expect(
      events.map((event) => [event.type, 'partial_image_index' in event && event.partial_image_index]),
    ).toEqual([
      ['image_generation.partial_image', 0],
      ['image_generation.partial_image', 1],
      ['image_generation.completed', false],
    ]);
    const images = events.map(({ b64_json }) => Buffer.from(b64_json ?? '', 'base64'));
    for (const bytes of images) expect(await sharp(bytes).metadata()).toMatchObject({ width: 1024 });
    expect(images[2]?.equals(await service.acme.image(jobId))).toBe(true);
  });

  it('gets the existing previews and the rest if its retry joins the job', async () => {
    const body = { prompt: `A joined dawn ${slow}`, stream: true as const, partial_images: 3 };
    const cut = new AbortController();
    const first = await openai().images.generate(body, { signal: cut.signal });
    for await (const event of first) if (event.type.endsWith('partial_image')) break;
    cut.abort();
    const { data, response } = await openai()
      .images.generate(body, { headers: { 'x-stainless-retry-count': '1' } })
      .withResponse();
    expect(response.headers.get('x-darkroom-joined')).toMatch(/^img_/);
    const types: string[] = [];
    for await (const event of data) {
      types.push('partial_image_index' in event ? `partial ${event.partial_image_index}` : event.type);
    }
    expect(types).toEqual(['partial 0', 'partial 1', 'partial 2', 'image_generation.completed']);
    expect(imageCalls(service.studio, 'A joined dawn')).toHaveLength(1);
  });

  it('throws the error of a failed stream with its code', async () => {
    const stream = await openai().images.generate({
      prompt: 'A blocked stream [studio:error-event=moderation_blocked]',
      stream: true,
      partial_images: 2,
    });
    const types: string[] = [];
    const read = async () => {
      for await (const event of stream) types.push(event.type);
    };
    const error = await read().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ code: 'moderation_blocked' });
    expect(types).toEqual(['image_generation.partial_image']);
  });
});
