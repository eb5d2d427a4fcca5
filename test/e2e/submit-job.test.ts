import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('an order', () => {
  it('is accepted at once, says where it is and when to ask again, and is never cached', async () => {
    const { body, headers } = await service.acme
      .post('/images')
      .send({ prompt: 'A harbour [studio:latency=300]', metadata: { generate: '4711' } })
      .expect(202)
      .expect('content-type', /^application\/json/)
      .expect('cache-control', 'no-store')
      .expect('retry-after', /^[1-9][0-9]*$/);

    expect(body.id).toMatch(/^img_[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(headers.location).toBe(`/images/${body.id}`);
    expect(headers['x-request-id']).toBeTruthy();
    expect(body).toMatchObject({
      object: 'image_job',
      status: 'queued',
      metadata: { generate: '4711' },
      images: [],
      error: null,
      parent_id: null,
    });
    expect((await service.acme.ended(body.id)).status).toBe('succeeded');
  });

  it('ends with the image that the provider sent, byte for byte', async () => {
    const job = await service.acme.generate({ prompt: 'A quiet bay', size: '1024x1024', quality: 'medium' });

    const [call, ...more] = imageCalls(service.studio, 'A quiet bay');
    expect(more).toEqual([]);
    const sent = call?.images[0];
    const bytes = await service.acme.image(job.id);
    expect(job.status).toBe('succeeded');
    expect(sha256(bytes)).toBe(sent?.sha256);
    expect(job.images).toEqual([
      expect.objectContaining({
        index: 0,
        content_type: 'image/png',
        width: 1024,
        height: 1024,
        size_bytes: bytes.length,
        sha256: sent?.sha256,
      }),
    ]);
  });

  it('makes exactly one call, without a retry of the client library, under an id the ledger knows', async () => {
    const job = await service.acme.generate({ prompt: 'A single call' });

    const calls = imageCalls(service.studio, 'A single call');
    expect(calls.map((call) => call.headers.retryCount)).toEqual(['0']);
    expect(calls[0]?.headers.clientRequestId).toBe(`${job.id}-1`);
    expect(job.attempts).toEqual([
      expect.objectContaining({
        kind: 'generate',
        index: 0,
        state: 'stored',
        provider_request_id: calls[0]?.requestId,
      }),
    ]);
  });

  it('for three images makes three calls, and stores three images', async () => {
    const job = await service.acme.generate({ prompt: 'Three of them', n: 3 });

    expect(job.images.map((image) => image.index)).toEqual([0, 1, 2]);
    expect(imageCalls(service.studio, 'Three of them')).toHaveLength(3);
    expect(job.attempts.map((attempt) => attempt.state)).toEqual(['stored', 'stored', 'stored']);
    for (const { index, sha256: expected } of job.images) {
      expect(sha256(await service.acme.image(job.id, index))).toBe(expected);
    }
  });

  it.each([
    ['png', '1536x1024', 'image/png'],
    ['jpeg', '1024x1536', 'image/jpeg'],
    ['webp', '1280x720', 'image/webp'],
  ])('for a %s of %s gets just that', async (format, size, contentType) => {
    const job = await service.acme.generate({ prompt: `As ${format}`, size, output_format: format });

    const bytes = await service.acme.image(job.id);
    const [width, height] = size.split('x').map(Number);
    expect(job.images[0]).toMatchObject({ content_type: contentType, width, height });
    expect(await sharp(bytes).metadata()).toMatchObject({ format, width, height });
    await service.acme.get(`/images/${job.id}/content/0`).expect('content-type', contentType);
  });

  it('costs what the published formula and the price list say', async () => {
    // 24 x 24 x (2,000,000 + 1024 x 1024) / 4,000,000 = 438.99 tokens of 30, and 40 letters = 10 tokens of 5 micro-USD.
    const square = await service.acme.generate({
      prompt: 'Forty letters of plain text, no more, OK',
      model: 'gpt-image-2.6-flare',
      size: '1024x1024',
      quality: 'medium',
    });
    // 16 x 11 x (2,000,000 + 1536 x 1024) / 4,000,000 = 157.2 tokens.
    const two = await service.acme.generate({
      prompt: 'Forty letters of plain text, and two, OK',
      size: '1536x1024',
      quality: 'low',
      n: 2,
    });

    expect(square.usage).toEqual({ input_tokens: 10, output_tokens: 439, total_tokens: 449 });
    expect(square.cost).toMatchObject({ micro_usd: 439 * 30 + 10 * 5, estimated: false, billing: 'charged' });
    expect(two.cost).toMatchObject({ micro_usd: 2 * (158 * 30 + 10 * 5), estimated: false });
  });

  it('by another name of a model is listed under every name of it', async () => {
    const { id } = await service.acme.submit({ prompt: 'Dated', model: 'gpt-image-2-2026-04-21' });
    for (const [name, isListed] of [
      ['gpt-image-2', true],
      ['gpt-image-2-2026-04-21', true],
      ['gpt-image-2.6-flare', false],
      ['gpt-image', false],
    ] as const) {
      const { body } = await service.acme.get(`/images?limit=100&model=${name}`).expect(200);
      expect(
        body.data.some((job: { id: string }) => job.id === id),
        name,
      ).toBe(isListed);
    }
  });

  it('for a model outside the catalogue passes with a warning, and its cost is unknown instead of zero', async () => {
    const job = await service.acme.generate({
      prompt: 'A new model',
      model: 'gpt-image-9',
      size: '1024x1024',
    });

    expect(job.status).toBe('succeeded');
    expect(job.warnings).toEqual([expect.stringContaining('gpt-image-9')]);
    expect(job.cost).toMatchObject({ micro_usd: null, billing: 'charged' });
    expect(imageCalls(service.studio, 'A new model')[0]?.parameters.model).toBe('gpt-image-9');
  });

  it('as a dry run is checked and estimated, and stores, queues and calls nothing', async () => {
    const before = await service.acme.get('/images?limit=1').expect(200);
    const { body } = await service.acme
      .post('/images?dry_run=true')
      .send({ prompt: 'Only asking', size: '1024x1024', quality: 'medium', n: 2 })
      .expect(200);

    expect(body.request).toMatchObject({ prompt: 'Only asking', model: 'gpt-image-2.6-flare', n: 2 });
    expect(body.estimate).toEqual({ cost_micro_usd: 2 * (439 * 30 + 3 * 5), eta_s: null, queue_depth: 0 });
    const after = await service.acme.get('/images?limit=1').expect(200);
    expect(after.body.data[0]?.id).toBe(before.body.data[0]?.id);
    expect(imageCalls(service.studio, 'Only asking')).toEqual([]);
  });

  it('with a field that is not known is refused with a pointer, and costs nothing', async () => {
    const { body } = await service.acme
      .post('/images')
      .send({ prompt: 'A typo', qualty: 'high' })
      .expect(422);

    expect(body).toMatchObject({ code: 'validation_failed', errors: [{ pointer: '/qualty' }] });
    expect(body.error).toMatchObject({ code: 'validation_failed', param: 'qualty' });
    expect(imageCalls(service.studio, 'A typo')).toEqual([]);
  });
});

describe('an order that cannot be made', () => {
  it('for its cost is refused before anything is called', async () => {
    const generate = { prompt: 'Too dear', size: '1024x1024', quality: 'max', max_cost_micro_usd: 1000 };
    const { body } = await service.acme.post('/images').send(generate).expect(422);
    expect(body).toMatchObject({ code: 'max_cost_exceeded', errors: [{ pointer: '/max_cost_micro_usd' }] });
    expect(imageCalls(service.studio, 'Too dear')).toEqual([]);
  });

  it('for its retired model is refused and told the successor', async () => {
    const { body } = await service.acme
      .post('/images')
      .send({ prompt: 'Old', model: 'dall-e-3' })
      .expect(422);
    expect(body.code).toBe('model_retired');
    expect(body.detail).toMatch(/gpt-image-/);
  });
});
