import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { thisWriter } from '../../src/lib/file-writer.ts';
import { eventually } from '../support/eventually.ts';
import { noiseImage } from '../support/images.ts';
import { startService, startServiceIn, type TestService } from '../support/service.ts';
import { createEnvironment } from '../support/service-environment.ts';

let service: TestService;
let png: Buffer;
beforeAll(async () => {
  service = await startService({ MAX_UPLOAD_BYTES: '40000000' });
  png = await noiseImage(320, 200);
});
afterAll(() => service.close());

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Uploads a file as a form. */
const upload = (bytes: Buffer, caller = service.acme) =>
  caller.post('/uploads').attach('file', bytes, { filename: 'photo.png', contentType: 'image/png' });

/** Uploads bytes as the body. */
const uploadRaw = (bytes: Buffer, contentType = 'application/octet-stream') =>
  service.acme.post('/uploads').set('content-type', contentType).send(bytes);

/** Returns the temporary files of the service. */
const incoming = () => readdir(join(service.dataDir, 'incoming')).catch(() => []);

describe('a form without the field of the file', () => {
  it('is refused with the name of the field, and with the fields that it has instead', async () => {
    const { body } = await service.acme.post('/uploads').field('photo', 'x').expect(422);
    expect(body.detail).toContain('`file`');
    expect(body.errors).toEqual([
      { pointer: '/photo', detail: 'is not a known field' },
      { pointer: '/file', detail: 'is required' },
    ]);
  });
});

describe('the start of a process', () => {
  it('removes the received files of a killed process', async () => {
    const environment = await createEnvironment({ ROLES: 'api' });
    onTestFinished(environment.remove);
    const folder = join(environment.dataDir, 'incoming');
    const { pid } = spawnSync(process.execPath, ['--version']);
    await mkdir(folder);
    await writeFile(join(folder, `${thisWriter().machine}-${pid}-0123456789abcdef.part`), 'half of a photo');
    const { close } = await startServiceIn(environment);
    onTestFinished(close);
    await eventually(async () => expect(await readdir(folder)).toEqual([]));
  });
});

describe('POST /uploads', () => {
  it('refuses unknown query fields and stores nothing', async () => {
    const before = (await service.acme.get('/uploads')).body.data;
    const { body } = await service.acme
      .post('/uploads?dry_run=true')
      .attach('file', png, 'a.png')
      .expect(422);
    expect(body).toMatchObject({ code: 'validation_failed', errors: [{ pointer: '/query/dry_run' }] });
    expect((await service.acme.get('/uploads')).body.data).toEqual(before);
  });

  it('stores a clean file byte for byte, whatever the form of the request', async () => {
    const facts = {
      object: 'upload',
      content_type: 'image/png',
      width: 320,
      height: 200,
      sha256: sha256(png),
    };
    for (const response of [await upload(png), await uploadRaw(png), await uploadRaw(png, 'image/jpeg')]) {
      expect(response.status).toBe(201);
      expect(response.body).toMatchObject({ ...facts, size_bytes: png.length });
      expect(response.headers.location).toBe(`/uploads/${response.body.id}`);
      const content = await service.acme.get(`/uploads/${response.body.id}/content`).expect(200);
      expect(sha256(content.body)).toBe(facts.sha256);
      expect(content.headers).toMatchObject({
        'content-type': 'image/png',
        'x-content-type-options': 'nosniff',
      });
      const read = await service.acme.get(`/uploads/${response.body.id}`).expect(200);
      expect(read.body).toEqual(response.body);
    }
    await eventually(async () => expect(await incoming()).toEqual([]));
  });

  it('removes the location and the device from a photo and keeps its pixels', async () => {
    const photo = await sharp(png)
      .jpeg()
      .withExif({ IFD0: { Model: 'Phone 9' }, IFD3: { GPSLatitude: '51/1 30/1 0/1', GPSLatitudeRef: 'N' } })
      .toBuffer();
    const { body } = await uploadRaw(photo).expect(201);
    const { body: stored } = await service.acme.get(`/uploads/${body.id}/content`);

    expect(photo.includes('Phone 9')).toBe(true);
    expect(stored.includes('Phone 9')).toBe(false);
    const pixels = (bytes: Buffer) => sharp(bytes).raw().toBuffer();
    expect((await pixels(stored)).equals(await pixels(photo))).toBe(true);
  });

  it('sets a turned photo upright', async () => {
    const photo = await sharp(png).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const { body } = await uploadRaw(photo).expect(201);

    expect(body).toMatchObject({ content_type: 'image/jpeg', width: 200, height: 320 });
  });

  it.each([
    ['a truncated file', () => png.subarray(0, png.length >> 1), /truncated/],
    ['an SVG', () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), /SVG/],
    ['a HEIC photo', () => Buffer.from('\0\0\0\x18ftypheic\0\0\0\0', 'latin1'), /convert to JPEG/],
    ['a file that is an archive too', () => Buffer.concat([png, Buffer.from('PK\x03\x04')]), /foreign data/],
    ['an empty file', () => Buffer.alloc(0), /empty/],
  ])('refuses %s with the reason and the field', async (_, bytes, detail) => {
    const response = await upload(bytes());
    expect(response.status).toBe(422);
    expect(response.body).toMatchObject({ code: 'input_invalid', retryable: false });
    expect(response.body.errors).toEqual([{ pointer: '/file', detail: expect.stringMatching(detail) }]);
  });

  it('refuses a file of 51 MB with 413', async () => {
    const response = await uploadRaw(Buffer.alloc(51 << 20)).expect(413);
    expect(response.body.code).toBe('payload_too_large');
  });

  it('refuses a form without a file, with two files, or with unknown fields', async () => {
    const missing = await service.acme.post('/uploads').field('name', 'x');
    const two = await upload(png).attach('file', png, 'b.png');
    const unknown = await service.acme.post('/uploads').attach('files', png, 'a.png');
    const json = await service.acme.post('/uploads').send({});
    expect([missing.status, two.status, unknown.status, json.status]).toEqual([422, 422, 422, 422]);
    expect(unknown.body.errors[0].pointer).toBe('/files');
  });

  it('refuses a form that ends early', async () => {
    const body = `--b\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n${'x'.repeat(500)}`;
    const response = await service.acme
      .post('/uploads')
      .set('content-type', 'multipart/form-data; boundary=b')
      .send(body);
    expect(response.body).toMatchObject({ status: 400, code: 'invalid_request' });
    const noBoundary = await service.acme
      .post('/uploads')
      .set('content-type', 'multipart/form-data')
      .send('x');
    expect(noBoundary.body).toMatchObject({ status: 400, code: 'invalid_request' });
    await eventually(async () => expect(await incoming()).toEqual([]));
  });

  it('refuses further uploads when the space of the tenant is used up', async () => {
    const large = await noiseImage(2400, 1800);
    const statuses: number[] = [];
    for (let i = 0; i < 4; i += 1) statuses.push((await uploadRaw(large)).status);
    expect(statuses.at(-1)).toBe(409);
    expect((await upload(png, service.other)).status).toBe(201);
    const { body } = await service.acme.get('/uploads?limit=100');
    for (const { id } of body.data) await service.acme.delete(`/uploads/${id}`).expect(204);
    expect((await uploadRaw(large)).status).toBe(201);
  });
});

describe('uploads of a tenant', () => {
  it('uploads are listed newest first, in pages', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 3; i += 1) ids.unshift((await upload(png)).body.id);
    const first = await service.acme.get('/uploads?limit=2').expect(200);
    expect(first.body.data.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 2));
    const next = await service.acme.get(`/uploads?limit=1&cursor=${first.body.next_cursor}`).expect(200);
    expect(next.body.data[0].id).toBe(ids[2]);
  });

  it('uploads are not visible to other tenants and are gone after their deletion', async () => {
    const { body } = await upload(png);
    const unknown = await service.acme.get('/uploads/upl_00000000000000000000000000');
    const foreign = await service.other.get(`/uploads/${body.id}`);
    expect([foreign.status, foreign.body.detail]).toEqual([404, unknown.body.detail]);
    expect((await service.other.delete(`/uploads/${body.id}`)).status).toBe(404);
    await service.acme.delete(`/uploads/${body.id}`).expect(204);
    expect((await service.acme.get(`/uploads/${body.id}/content`)).status).toBe(404);
    expect(await readdir(join(service.dataDir, 'images', 'acme'))).not.toContain(body.id);
  });
});
