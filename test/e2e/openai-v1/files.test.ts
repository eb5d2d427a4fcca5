import { createHash } from 'node:crypto';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noiseImage } from '../../support/images.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

let service: TestService;
let png: Buffer;
beforeAll(async () => {
  service = await startService();
  png = await noiseImage(320, 200);
});
afterAll(() => service.close());

const client = (base = '/v1', apiKey: string = testKeys.acme) =>
  new OpenAI({ apiKey, baseURL: `${service.url}${base}` });
/** A file without a content type, as the client sends it for a stream or a buffer. */
const untyped = (bytes: Buffer) => toFile(bytes, 'photo.png');
const failureOf = (call: Promise<unknown>) => call.catch((error: unknown) => error);
const create = (bytes: Buffer, purpose: string) =>
  untyped(bytes).then((file) => client().files.create({ file, purpose: purpose as 'vision' }));

describe('files of the official client', () => {
  it.each(['vision', 'user_data'] as const)('stores, reads and deletes a file for %s', async (purpose) => {
    const created = await client().files.create({ file: await untyped(png), purpose });
    expect(created).toMatchObject({
      id: expect.stringMatching(/^upl_/),
      object: 'file',
      bytes: png.length,
      filename: 'photo.png',
      purpose,
      status: 'processed',
    });
    expect((created.expires_at ?? 0) - created.created_at).toBe(86_400);
    expect(await client().files.retrieve(created.id)).toEqual(created);
    const { body } = await service.acme.get(`/uploads/${created.id}/content`).expect(200);
    expect(createHash('sha256').update(body).digest('hex')).toBe(
      createHash('sha256').update(png).digest('hex'),
    );

    expect(await client().files.delete(created.id)).toEqual({
      id: created.id,
      object: 'file',
      deleted: true,
    });
    expect(await failureOf(client().files.retrieve(created.id))).toMatchObject({ status: 404 });
  });

  it('stores a file through a base URL without /v1', async () => {
    const created = await client('').files.create({ file: await untyped(png), purpose: 'vision' });
    expect((await client('/').files.retrieve(created.id)).id).toBe(created.id);
  });

  it('deletes a file at the time that its caller asked for, if the deployment would delete it later', async () => {
    const store = async (seconds: number) =>
      client().files.create({
        file: await untyped(png),
        purpose: 'vision',
        expires_after: { anchor: 'created_at', seconds },
      });
    const [early, late] = [await store(3_600), await store(2_592_000)];
    expect((early.expires_at ?? 0) - early.created_at).toBe(3_600);
    expect((late.expires_at ?? 0) - late.created_at).toBe(86_400);
  });

  it('reads an upload of the native API as a file', async () => {
    const { body } = await service.acme.post('/uploads').attach('file', png, 'a.png').expect(201);
    expect(await client().files.retrieve(body.id)).toMatchObject({
      filename: `${body.id}.png`,
      purpose: 'vision',
    });
  });

  it('refuses another purpose, and names the field', async () => {
    expect(await failureOf(create(png, 'fine-tune'))).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      param: 'purpose',
    });
  });

  it('refuses a truncated file, and names the field', async () => {
    expect(await failureOf(create(png.subarray(0, png.length >> 1), 'vision'))).toMatchObject({
      status: 400,
      code: 'input_invalid',
      type: 'invalid_request_error',
      param: 'file',
    });
  });

  it('refuses a form without a file', async () => {
    const response = await service.acme.post('/v1/files').field('purpose', 'vision');
    expect(response.status).toBe(400);
    expect(response.body.error).toMatchObject({ type: 'invalid_request_error', param: 'file' });
  });

  it('treats a file of another tenant like an unknown one', async () => {
    const { id } = await create(png, 'vision');
    const other = client('/v1', testKeys.other);
    expect(await failureOf(other.files.retrieve(id))).toMatchObject({ status: 404 });
    expect(await failureOf(other.files.delete(id))).toMatchObject({ status: 404 });
    expect((await client().files.retrieve(id)).id).toBe(id);
  });
});
