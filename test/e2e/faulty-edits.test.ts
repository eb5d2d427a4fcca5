import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { clearMask, noiseImage } from '../support/images.ts';
import { type RecordingProvider, startRecordingProvider } from '../support/recording-provider.ts';
import { startService, type TestService } from '../support/service.ts';

let provider: RecordingProvider;
let service: TestService;
beforeAll(async () => {
  provider = await startRecordingProvider();
  service = await startService(provider.env);
});
afterAll(async () => {
  await service.close();
  await provider.close();
});

const request = { prompt: 'Make it snow', model: 'gpt-image-2.6-flare', size: '1024x1024', quality: 'low' };
const data = (bytes: Buffer) => ({ data: bytes.toString('base64') });
const photo = () => noiseImage(320, 200);
const png = async () => data(await photo());
const mask = async (width = 320) => data(await clearMask(width, 200));
/** A photo whose metadata is removed before its role is checked. */
const photoWithDevice = async () =>
  data(
    await sharp(await photo())
      .jpeg()
      .withExif({ IFD0: { Model: 'Phone 9' } })
      .toBuffer(),
  );
const half = async () => {
  const bytes = await photo();
  return data(bytes.subarray(0, bytes.length / 2));
};
const unknownUpload = { upload_id: 'upl_x' };

const invalidField = 'validation_failed';
const forbidden = 'destination_forbidden';

const faults: readonly (readonly [string, () => Promise<object>, string, string?])[] = [
  ['a damaged image', async () => ({ images: [await png(), await half()] }), '/images/1'],
  ['text that is no base64', async () => ({ images: [{ data: '!!!' }] }), '/images/0'],
  ['a mask of another size', async () => ({ images: [await png()], mask: await mask(400) }), '/mask'],
  ['a mask without alpha', async () => ({ images: [await png()], mask: await png() }), '/mask'],
  ['a photo as mask', async () => ({ images: [await png()], mask: await photoWithDevice() }), '/mask'],
  ['a mask without images', async () => ({ mask: await mask() }), '/mask', invalidField],
  [
    'a markup for a model without it',
    async () => ({ model: 'gpt-image-2', images: [await png()], markup: await mask() }),
    '/markup',
    invalidField,
  ],
  ['an unknown upload', async () => ({ images: [unknownUpload] }), '/images/0'],
  ['an image of an unknown job', async () => ({ images: [{ image_id: 'img_x' }] }), '/images/0'],
  [
    'two origins of one input',
    async () => ({ images: [{ image_id: 'img_x', ...unknownUpload }] }),
    '/images/0',
    invalidField,
  ],
  ['an empty list', async () => ({ images: [] }), '/images', invalidField],
  ['seventeen images', async () => ({ images: Array(17).fill(unknownUpload) }), '/images', invalidField],
  [
    'a private address',
    async () => ({ images: [{ url: 'https://10.0.0.1/a.png' }] }),
    '/images/0/url',
    forbidden,
  ],
  [
    'a plain http address',
    async () => ({ images: [{ url: 'http://a.example/a.png' }] }),
    '/images/0/url',
    forbidden,
  ],
  [
    'moderation and a markup',
    async () => ({ images: [await png()], markup: await png(), moderation: 'low' }),
    '/moderation',
    invalidField,
  ],
];

describe('a faulty edit', () => {
  it.each(faults.map(([name, fields, pointer, code]) => ({ name, fields, pointer, code })))(
    'refuses an edit with $name before it costs anything',
    async ({ fields, pointer, code = 'input_invalid' }) => {
      const response = await service.acme.post('/images').send({ ...request, ...(await fields()) });
      expect(response.body).toMatchObject({ status: 422, code });
      expect(response.body.errors[0].pointer).toBe(pointer);
      expect(provider.requests).toEqual([]);
      await eventually(async () => expect(await readdir(join(service.dataDir, 'incoming'))).toEqual([]));
    },
  );

  it.each([
    ['/images', 'image', 422],
    ['/uploads', 'file', 422],
    ['/v1/images/edits', 'image', 400],
  ])(
    'refuses a text instead of a file and an unknown field at %s with the remedy',
    async (path, field, status) => {
      const text = await service.acme.post(path).field('prompt', 'x').field(field, 'photo.png');
      expect(text.status).toBe(status);
      expect(text.body.errors).toContainEqual({
        pointer: `/${field}`,
        detail: `must be a file. With curl: -F '${field}=@photo.png'`,
      });
      const unknown = await service.acme.post(path).attach('imgae', await photo(), 'a.png');
      expect(unknown.status).toBe(status);
      expect(unknown.body.errors[0].detail).toContain(`Use ${field}`);
    },
  );

  it('refuses too large data with 413 that names POST /uploads', async () => {
    const response = await service.acme
      .post('/images')
      .send({ ...request, images: [{ data: 'a'.repeat(20_971_521) }] });
    expect(response.body).toMatchObject({ status: 413, code: 'payload_too_large' });
    expect(response.body.detail).toContain('POST /uploads');
  });

  it('refuses uploads of another tenant', async () => {
    const { body } = await service.acme.post('/uploads').attach('file', await photo(), 'a.png');
    const response = await service.other
      .post('/images')
      .send({ ...request, images: [{ upload_id: body.id }] });
    expect(response.body).toMatchObject({ status: 422, code: 'input_invalid' });
  });
});
