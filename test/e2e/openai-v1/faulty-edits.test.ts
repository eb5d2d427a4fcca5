import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { noiseImage } from '../../support/images.ts';
import { dataUrl, formOf, postEdit } from '../../support/openai-edits.ts';
import { startService, type TestService } from '../../support/service.ts';

let service: TestService;
const image = {} as Record<'png' | 'half' | 'jpeg' | 'mask', Buffer>;
beforeAll(async () => {
  service = await startService();
  image.png = await noiseImage(320, 200);
  image.half = image.png.subarray(0, image.png.length >> 1);
  image.jpeg = await noiseImage(200, 100, 'jpeg');
  image.mask = await sharp(image.png).ensureAlpha(0).png().toBuffer();
});
afterAll(() => service.close());
// No fault may leave a job, a provider call or a temporary file behind.
afterEach(async () => {
  expect((await service.acme.get('/images')).body.data).toEqual([]);
  expect(service.studio.calls).toEqual([]);
  await eventually(async () => expect(await incoming()).toEqual([]));
});

const incoming = () => readdir(join(service.dataDir, 'incoming')).catch(() => []);
type Files = [field: string, bytes: Buffer][];
type Origin = { image_url?: string; file_id?: string };
const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>';

const formFaults: [string, () => Files, param: string][] = [
  ['without an image', () => [], 'image'],
  ['with a truncated image', () => [['image', image.half]], 'image'],
  ['with a truncated second image', () => twice(image.png, image.half), 'image[1]'],
  ['with an SVG', () => [['image', Buffer.from(svg)]], 'image'],
  ['with a mask of another size', () => masked(image.jpeg, image.mask), 'mask'],
  ['with a mask that has no alpha', () => masked(image.png, image.png), 'mask'],
  ['with 17 images', () => Array.from({ length: 17 }, () => ['image[]', image.jpeg]), 'image'],
];
const twice = (...bytes: Buffer[]): Files => bytes.map((each) => ['image[]', each]);
const masked = (first: Buffer, mask: Buffer): Files => [
  ['mask', mask],
  ['image', first],
];

const jsonFaults: [string, () => Origin, param: string][] = [
  ['two origins of one image', () => ({ image_url: dataUrl(image.png), file_id: 'upl_1' }), 'images.0'],
  ['an image without an origin', () => ({}), 'images.0'],
  ['an unknown file', () => ({ file_id: 'upl_01KAR3S9Z8QJ4V5W6X7Y8Z9A0B' }), 'images.0'],
  ['data that is no image', () => ({ image_url: 'data:image/png;base64,QUJD' }), 'images.0'],
  ['a private address', () => ({ image_url: 'https://127.0.0.1/a.png' }), 'images.0.image_url'],
  ['another scheme', () => ({ image_url: 'file:///etc/passwd' }), 'images.0.image_url'],
  ['a long address', () => ({ image_url: `https://a.b/${'c'.repeat(8_200)}` }), 'images.0.image_url'],
];

describe('a faulty edit', () => {
  it.each(formFaults)('%s is refused with 400 and the field of the form', async (_, files, param) => {
    const { status, body } = await postEdit(service.url, formOf({ prompt: 'Fault' }, files()));
    expect(body).toMatchObject({ error: { type: 'invalid_request_error', param } });
    expect(status).toBe(400);
  });

  it.each(jsonFaults)('with %s is refused with 400 and the field of the body', async (_, origin, param) => {
    const { status, body } = await postEdit(
      service.url,
      JSON.stringify({ prompt: 'Fault', images: [origin()] }),
    );
    const pointer = `/${param.replaceAll('.', '/')}`;
    expect(body).toMatchObject({
      errors: [{ pointer }],
      error: { type: 'invalid_request_error', param },
    });
    expect(status).toBe(400);
  });

  it.each(['constructor', 'toString', '__proto__x'])(
    'with an unknown field %s of an image is refused with 400 and that name',
    async (name) => {
      const body = JSON.stringify({ prompt: 'Fault', images: [{ [name]: 'x' }] });
      const refused = await postEdit(service.url, body);
      expect(refused.status).toBe(400);
      expect(refused.body.errors).toContainEqual({
        pointer: `/images/0/${name}`,
        detail: 'is not a known field',
      });
      expect(refused.body.error.param).toBe(`images.0.${name}`);
    },
  );

  it('with a text instead of a file, an unknown field or no body is refused with 400', async () => {
    const text = await postEdit(service.url, formOf({ prompt: 'Fault', image: 'https://a.b/c' }, []));
    const unknown = await postEdit(
      service.url,
      formOf({ prompt: 'Fault', sise: '1' }, [['image', image.png]]),
    );
    const none = await postEdit(service.url, '{}');
    const empty = await service.acme.post('/v1/images/edits');
    expect([text, unknown, none, empty].map(({ status }) => status)).toEqual([400, 400, 400, 400]);
    expect([text, unknown].map(({ body }) => body.error.param)).toEqual(['image', 'sise']);
    // Clients show the message only, so it names the field and its fault.
    expect(unknown.body.error.message).toMatch(/ sise is not a known field/);
    expect(text.body.error.message).toMatch(/ image must be a file/);
  });

  it('with data that is too large is refused with 413, which names the limit', async () => {
    const images = [{ image_url: `data:image/png;base64,${'A'.repeat(21e6)}` }];
    const { status, body } = await postEdit(service.url, JSON.stringify({ prompt: 'Large', images }));
    expect(status).toBe(413);
    expect(body.error).toMatchObject({
      param: 'images.0.image_url',
      message: expect.stringContaining('20971520'),
    });
    expect(body.error.message).not.toContain('/data');
  });

  it('with a file that is too large is refused with 413, which names the limit', async () => {
    const form = formOf({ prompt: 'Large' }, [['image', Buffer.alloc(51 << 20)]]);
    const { status, body } = await postEdit(service.url, form);
    expect(status).toBe(413);
    expect(body.error.message).toMatch(/52428800|50 MB/);
  });
});
