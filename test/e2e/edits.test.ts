import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { clearMask, noiseImage, sha256 } from '../support/images.ts';
import { type RecordingProvider, startRecordingProvider } from '../support/recording-provider.ts';
import { safetyIdentifier } from '../support/safety-identifier.ts';
import { startService, type TestService } from '../support/service.ts';

let provider: RecordingProvider;
let service: TestService;
let png: Buffer;
let jpeg: Buffer;
let mask: Buffer;
beforeAll(async () => {
  provider = await startRecordingProvider();
  service = await startService(provider.env);
  png = await noiseImage(320, 200);
  jpeg = await noiseImage(200, 100, 'jpeg');
  mask = await clearMask(320, 200);
});
afterAll(async () => {
  await service.close();
  await provider.close();
});
beforeEach(() => void provider.requests.splice(0));

const base64 = (bytes: Buffer) => bytes.toString('base64');
const upload = async (bytes: Buffer): Promise<string> =>
  (await service.acme.post('/uploads').attach('file', bytes, 'a.png').expect(201)).body.id;
const request = { prompt: 'Make it snow', model: 'gpt-image-2.6-flare', size: '1024x1024', quality: 'low' };
const filesInFolder = (id: string) => readdir(join(service.dataDir, 'images', 'acme', id)).catch(() => []);

/** Returns the files of the only call, as the provider received them. */
function sentFiles() {
  expect(provider.requests.map(({ path }) => path)).toEqual(['/v1/images/edits']);
  return provider.requests[0]?.files.map(({ field, type, sha256: digest }) => [field, type, digest]);
}

describe('an edit', () => {
  it('an edit sends the same bytes and every field to the edits endpoint and records inputs, usage and cost', async () => {
    const fields = {
      ...request,
      background: 'opaque',
      complexity: 'low',
      output_format: 'webp',
      output_compression: 80,
      safety_identifier: 'user-1',
      provider_options: { seed: 7, nested: { a: ['b'] } },
    };
    const job = await service.acme.generate({ ...fields, images: [{ data: base64(png) }] });

    expect(job).toMatchObject({ status: 'succeeded', error: null });
    expect(sentFiles()).toEqual([['image', 'image/png', sha256(png)]]);
    expect(Object.fromEntries(provider.requests[0]?.fields ?? [])).toEqual({
      prompt: fields.prompt,
      model: fields.model,
      n: '1',
      size: '1024x1024',
      quality: 'low',
      background: 'opaque',
      complexity: 'low',
      output_format: 'webp',
      output_compression: '80',
      safety_identifier: expect.stringMatching(safetyIdentifier),
      seed: '7',
      'nested[a][]': 'b',
    });
    expect(provider.requests[0]?.headers['content-length']).toBe(String(provider.requests[0]?.body.length));
    expect(job.inputs).toEqual([
      {
        role: 'image',
        content_type: 'image/png',
        width: 320,
        height: 200,
        size_bytes: png.length,
        sha256: sha256(png),
        source: { type: 'data' },
      },
    ]);
    expect(job.attempts).toMatchObject([
      { kind: 'edit', state: 'stored', cost_micro_usd: 26 * 5 + 1_024 * 8 + 196 * 30 },
    ]);
    expect(job.request).not.toHaveProperty('images');
  });

  it('an edit sends several images of every origin in their order, with a mask', async () => {
    const first = await service.acme.generate({ ...request, images: [{ data: base64(png) }] });
    provider.requests.splice(0);
    const made = await service.acme.image(first.id);
    const uploadId = await upload(jpeg);
    const job = await service.acme.generate({
      ...request,
      images: [
        { data: `data:image/png;base64,${base64(png)}` },
        { upload_id: uploadId },
        { image_id: first.id, index: 0 },
      ],
      mask: { data: base64(mask) },
    });

    expect(job.status).toBe('succeeded');
    expect(sentFiles()).toEqual([
      ['image[]', 'image/png', sha256(png)],
      ['image[]', 'image/jpeg', sha256(jpeg)],
      ['image[]', 'image/png', sha256(made)],
      ['mask', 'image/png', sha256(mask)],
    ]);
    expect(job.inputs.map(({ role, source }) => [role, source])).toEqual([
      ['image', { type: 'data' }],
      ['image', { type: 'upload', upload_id: uploadId }],
      ['image', { type: 'image', image_id: first.id, index: 0 }],
      ['mask', { type: 'data' }],
    ]);
  });

  it('an edit with moderation is sent as JSON, the only form in which the provider takes it', async () => {
    const images = [{ data: base64(png) }, { data: base64(jpeg) }];
    const job = await service.acme.generate({
      ...request,
      moderation: 'low',
      images,
      mask: { data: base64(mask) },
    });
    expect(job.status).toBe('succeeded');
    const [sent] = provider.requests;
    expect(sent?.headers['content-length']).toBe(String(sent?.body.length));
    const url = (bytes: Buffer, type: string) => ({ image_url: `data:${type};base64,${base64(bytes)}` });
    expect(JSON.parse(sent?.body.toString() ?? '')).toEqual({
      prompt: request.prompt,
      model: request.model,
      n: 1,
      size: '1024x1024',
      quality: 'low',
      moderation: 'low',
      safety_identifier: expect.any(String),
      images: [url(png, 'image/png'), url(jpeg, 'image/jpeg')],
      mask: url(mask, 'image/png'),
    });
  });

  it('an edit uses its own copy of an upload that is deleted while the job waits', async () => {
    const uploadId = await upload(png);
    provider.respondOnce((response) => response.writeHead(503, { 'retry-after': '1' }).end('{}'));
    const { id } = await service.acme.submit({ ...request, images: [{ upload_id: uploadId }] });
    await service.acme.delete(`/uploads/${uploadId}`).expect(204);
    expect((await service.acme.ended(id)).status).toBe('succeeded');
    expect(provider.requests.at(-1)?.files[0]?.sha256).toBe(sha256(png));
  });

  it('an edit can be a form with the same fields as texts', async () => {
    const response = await service.acme
      .post('/images')
      .field('prompt', request.prompt)
      .attach('mask', mask, 'mask.png')
      .attach('image[]', png, { filename: 'a', contentType: 'application/octet-stream' })
      .field('n', '1')
      .field('model', request.model)
      .attach('image[]', jpeg, 'b.jpg')
      .field('metadata', JSON.stringify({ order: '7' }))
      .field('output_compression', '70')
      .field('output_format', 'jpeg')
      .expect(202);
    const job = await service.acme.ended(response.body.id);

    expect(job).toMatchObject({ status: 'succeeded', metadata: { order: '7' } });
    expect(job.inputs.map(({ source }) => source.type)).toEqual(['multipart', 'multipart', 'multipart']);
    expect(sentFiles()).toEqual([
      ['image[]', 'image/png', sha256(png)],
      ['image[]', 'image/jpeg', sha256(jpeg)],
      ['mask', 'image/png', sha256(mask)],
    ]);
    await eventually(async () => expect(await readdir(join(service.dataDir, 'incoming'))).toEqual([]));
  });

  it('a form may have sixteen images under each of the names that clients use', async () => {
    const names = ['image', 'images', 'image[]', 'image[0]'];
    let form = service.acme.post('/images').field('prompt', 'Sixteen').field('model', request.model);
    for (let i = 0; i < 16; i += 1) form = form.attach(names[i % 4] ?? '', jpeg, `${i}.jpg`);
    const job = await service.acme.ended((await form.expect(202)).body.id);
    expect(job.status).toBe('succeeded');
    expect(sentFiles()).toHaveLength(16);
  });

  it('an edit calls once for each image and charges the inputs of each call', async () => {
    const job = await service.acme.generate({ ...request, n: 2, images: [{ data: base64(png) }] });
    expect(job.images).toHaveLength(2);
    expect(provider.requests.map(({ files }) => files[0]?.sha256)).toEqual([sha256(png), sha256(png)]);
    expect(job.cost.micro_usd).toBe(2 * (26 * 5 + 1_024 * 8 + 196 * 30));
  });

  it('a repeated edit is joined by its key and the content of its files', async () => {
    const send = (bytes: Buffer) =>
      service.acme
        .post('/images')
        .set('idempotency-key', 'edit-1')
        .field('prompt', 'Once')
        .field('model', request.model)
        .attach('image', bytes, 'a.png');
    const first = await send(png).expect(202);
    const again = await send(png);
    expect(again.body.id).toBe(first.body.id);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect((await send(jpeg)).body.code).toBe('idempotency_key_reused');
    await service.acme.ended(first.body.id);
    expect(provider.requests).toHaveLength(1);
  });

  it('an edit is estimated with its inputs, and a dry run stores nothing', async () => {
    const preview = async (body: object) =>
      (
        await service.acme
          .post('/images?dry_run=true')
          // No earlier image of this file had this quality, so the estimate has learned nothing about it.
          .send({ ...request, quality: 'medium', ...body })
          .expect(200)
      ).body.estimate;
    const without = await preview({});
    const estimate = await preview({ images: [{ data: base64(png) }] });
    // 320x200 is enlarged to 640x400: 20 x 13 patches. The upper bound is the budget of an image.
    expect(estimate.low_micro_usd - without.low_micro_usd).toBe(20 * 13 * 8);
    expect(estimate.high_micro_usd - without.high_micro_usd).toBe(1_536 * 8);
    expect(provider.requests).toEqual([]);
  });

  it('an erased edit leaves nothing in the storage', async () => {
    const job = await service.acme.generate({
      ...request,
      images: [{ data: base64(png) }],
      mask: { data: base64(mask) },
    });
    expect(await filesInFolder(job.id)).toHaveLength(3);
    await service.acme.delete(`/images/${job.id}`).expect(204);
    expect(await filesInFolder(job.id)).toEqual([]);
  });

  it('a retry of an edit uses the same inputs', async () => {
    provider.respondOnce((response) =>
      response
        .writeHead(400, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: { message: 'no', code: 'invalid' } })),
    );
    const failed = await service.acme.generate({ ...request, images: [{ data: base64(png) }] });
    expect(failed.status).toBe('failed');
    const { body } = await service.acme.post(`/images/${failed.id}/retry`).expect(202);
    const job = await service.acme.ended(body.id);
    expect(job).toMatchObject({ status: 'succeeded', parent_id: failed.id, inputs: failed.inputs });
    expect(provider.requests.map(({ files }) => files[0]?.sha256)).toEqual([sha256(png), sha256(png)]);
  });
});
