import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService({ ALLOW_UNKNOWN_MODELS: 'true' });
  return service.close;
});

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('a submission', () => {
  it('a submission returns 202 at once with Location and Retry-After and is never cached', async () => {
    const { body, headers } = await service.acme
      .post('/images')
      .send({ prompt: 'A harbour [studio:latency=300]', metadata: { order: '4711' } })
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
      metadata: { order: '4711' },
      images: [],
      error: null,
      parent_id: null,
    });
    expect((await service.acme.ended(body.id)).status).toBe('succeeded');
  });

  it('the stored image has the bytes that the provider sent', async () => {
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

  it('a job makes exactly one provider call with a request id from its ledger', async () => {
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

  it('n: 3 makes three calls and stores three images', async () => {
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
  ])('a job for %s in %s gets that format and size', async (format, size, contentType) => {
    const job = await service.acme.generate({ prompt: `As ${format}`, size, output_format: format });

    const bytes = await service.acme.image(job.id);
    const [width, height] = size.split('x').map(Number);
    expect(job.images[0]).toMatchObject({ content_type: contentType, width, height });
    expect(await sharp(bytes).metadata()).toMatchObject({ format, width, height });
    await service.acme.get(`/images/${job.id}/content/0`).expect('content-type', contentType);
  });

  it('the cost follows the published token formula and the price list', async () => {
    // 48 x 48 x (2,000,000 + 1024 x 1024) / 4,000,000 = 1755.98 tokens of 30, and 40 letters = 10 tokens of 5 micro-USD.
    const square = await service.acme.generate({
      prompt: 'Forty letters of plain text, no more, OK',
      model: 'gpt-image-2.6-flare',
      size: '1024x1024',
      quality: 'medium',
    });
    // 34 x 23 x (2,000,000 + 1536 x 1024) / 4,000,000 = 698.5 tokens.
    const two = await service.acme.generate({
      prompt: 'Forty letters of plain text, and two, OK',
      size: '1536x1024',
      quality: 'low',
      n: 2,
    });

    expect(square.usage).toEqual({ input_tokens: 10, output_tokens: 1756, total_tokens: 1766 });
    expect(square.cost).toMatchObject({
      micro_usd: 1756 * 30 + 10 * 5,
      estimated: false,
      billing: 'charged',
    });
    expect(two.cost).toMatchObject({ micro_usd: 2 * (699 * 30 + 10 * 5), estimated: false });
  });

  it('a job is listed under every name of its model', async () => {
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

  it('a job with a model outside the catalogue has a warning and an unknown cost', async () => {
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

  it('a dry run validates and estimates without storing, queueing or calling', async () => {
    const before = await service.acme.get('/images?limit=1').expect(200);
    const { body } = await service.acme
      .post('/images?dry_run=true')
      .send({ prompt: 'Dry run only', size: '1024x1024', quality: 'medium', n: 2 })
      .expect(200);

    expect(body.request).toMatchObject({ prompt: 'Dry run only', model: 'gpt-image-2.6-flare', n: 2 });
    expect(body.object).toBe('image_preview');
    expect(body.estimate).toEqual({
      low_micro_usd: 2 * (1756 * 30 + 3 * 5),
      high_micro_usd: 2 * (1756 * 30 + 12 * 5),
      eta_s: null,
      queue_depth: 0,
    });
    const after = await service.acme.get('/images?limit=1').expect(200);
    expect(after.body.data[0]?.id).toBe(before.body.data[0]?.id);
    expect(imageCalls(service.studio, 'Dry run only')).toEqual([]);
  });

  it('an unknown field is refused with a pointer before any call', async () => {
    const { body } = await service.acme
      .post('/images')
      .send({ prompt: 'A typo', qualty: 'high' })
      .expect(422);

    expect(body).toMatchObject({ code: 'validation_failed', errors: [{ pointer: '/qualty' }] });
    expect(body.error).toMatchObject({ code: 'validation_failed', param: 'qualty' });
    expect(imageCalls(service.studio, 'A typo')).toEqual([]);
  });
});

describe('a refused submission', () => {
  it('a job above max_cost_micro_usd is refused before any call', async () => {
    const request = { prompt: 'Too dear', size: '1024x1024', quality: 'max', max_cost_micro_usd: 1000 };
    const { body } = await service.acme.post('/images').send(request).expect(422);
    expect(body).toMatchObject({ code: 'max_cost_exceeded', errors: [{ pointer: '/max_cost_micro_usd' }] });
    expect(imageCalls(service.studio, 'Too dear')).toEqual([]);
  });

  it('a retired model is refused with the name of its successor', async () => {
    const { body } = await service.acme
      .post('/images')
      .send({ prompt: 'Old', model: 'dall-e-3' })
      .expect(422);
    expect(body.code).toBe('model_retired');
    expect(body.detail).toMatch(/gpt-image-/);
  });
});
