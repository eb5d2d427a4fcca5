import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { clearMask, noiseImage, sha256 } from '../../support/images.ts';
import { dataUrl, formOf, postEdit } from '../../support/openai-edits.ts';
import { type RecordingProvider, startRecordingProvider } from '../../support/recording-provider.ts';
import { safetyIdentifier } from '../../support/safety-identifier.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

let provider: RecordingProvider;
let service: TestService;
let png: Buffer;
let jpeg: Buffer;
let webp: Buffer;
let mask: Buffer;
beforeAll(async () => {
  provider = await startRecordingProvider();
  service = await startService({
    ...provider.env,
    V1_MODEL_MAP: 'dall-e-2=gpt-image-2.6-flare',
    INPUT_ALLOW_PRIVATE: 'true',
  });
  png = await noiseImage(320, 200);
  jpeg = await noiseImage(200, 100, 'jpeg');
  webp = await noiseImage(100, 100, 'webp');
  mask = await clearMask(320, 200);
});
afterAll(async () => {
  await service.close();
  await provider.close();
});
beforeEach(() => void provider.requests.splice(0));

const model = 'gpt-image-2.6-flare';
const client = () => new OpenAI({ apiKey: testKeys.acme, baseURL: `${service.url}/v1` });
/** A file without a content type, as the client sends a stream or a buffer. */
const untyped = (bytes: Buffer, name = 'photo') => toFile(bytes, name);
const failureOf = (call: Promise<unknown>) => call.catch((error: unknown) => error);
const sentFiles = () =>
  provider.requests.at(-1)?.files.map(({ field, type, sha256: digest }) => [field, type, digest]);
const sentFields = () => Object.fromEntries(provider.requests.at(-1)?.fields ?? []);
/** Edits by JSON, which the client sends only as a plain request. */
const editByJson = (body: object) =>
  client().post<OpenAI.ImagesResponse>('/images/edits', { body: { prompt: 'Snow', model, ...body } });

const post = (...request: [FormData | string, Parameters<typeof postEdit>[2]?]) =>
  postEdit(service.url, ...request);

describe('an edit of the official client', () => {
  it('sends the same bytes of one file and every field to the provider', async () => {
    const { data, response } = await client()
      .images.edit({
        image: await untyped(png),
        prompt: 'Make it snow',
        model,
        n: 1,
        size: '1024x1024',
        quality: 'low',
        background: 'opaque',
        output_format: 'webp',
        output_compression: 80,
        ...{ complexity: 'low', safety_identifier: 'user-1' },
      })
      .withResponse();

    expect(provider.requests.map(({ path }) => path)).toEqual(['/v1/images/edits']);
    expect(sentFiles()).toEqual([['image', 'image/png', sha256(png)]]);
    expect(sentFields()).toEqual({
      prompt: 'Make it snow',
      model,
      n: '1',
      size: '1024x1024',
      quality: 'low',
      background: 'opaque',
      complexity: 'low',
      output_format: 'webp',
      output_compression: '80',
      safety_identifier: expect.stringMatching(safetyIdentifier),
    });
    expect(data.data?.[0]?.b64_json).toBeTruthy();
    const job = await service.acme.job(response.headers.get('x-darkroom-job-id') ?? '');
    expect(job.inputs).toMatchObject([{ role: 'image', sha256: sha256(png), source: { type: 'multipart' } }]);
    await eventually(async () => expect(await readdir(join(service.dataDir, 'incoming'))).toEqual([]));
  });

  it('sends the same bytes of three files in their order, and of a mask', async () => {
    await client().images.edit({
      image: [await untyped(png), await untyped(jpeg), await untyped(webp)],
      mask: await untyped(mask),
      prompt: 'Compose',
      model,
    });
    expect(sentFiles()).toEqual([
      ['image[]', 'image/png', sha256(png)],
      ['image[]', 'image/jpeg', sha256(jpeg)],
      ['image[]', 'image/webp', sha256(webp)],
      ['mask', 'image/png', sha256(mask)],
    ]);
  });

  it('gets completed events of edits from a stream', async () => {
    const stream = await client().images.edit({
      image: await untyped(png),
      prompt: 'Stream',
      model,
      n: 2,
      stream: true,
    });
    const types = [];
    for await (const event of stream) types.push(event.type);
    expect(types).toEqual(['image_edit.completed', 'image_edit.completed']);
  });

  it('gets a link if it asks for links', async () => {
    const { data } = await client().images.edit({
      image: await untyped(png),
      prompt: 'Link',
      model,
      response_format: 'url',
    });
    expect((await fetch(data?.[0]?.url ?? '')).status).toBe(200);
  });

  it('gets legacy fields mapped, with warnings', async () => {
    const response = await client().images.edit({
      image: await untyped(png),
      prompt: 'Old',
      model: 'dall-e-2',
      size: '512x512',
      quality: 'standard',
      user: 'u-1',
    });
    expect(sentFields()).toMatchObject({
      model,
      size: '1024x1024',
      safety_identifier: expect.stringMatching(safetyIdentifier),
    });
    expect((response as { warnings?: string[] }).warnings).toEqual(
      expect.arrayContaining([
        'model dall-e-2 was replaced by gpt-image-2.6-flare.',
        'size 512x512 was replaced by 1024x1024.',
        'user was passed on as safety_identifier.',
      ]),
    );
  });

  it('may refer to files that it stored before', async () => {
    const file = await client().files.create({ file: await untyped(png), purpose: 'vision' });
    await editByJson({ images: [{ file_id: file.id }], mask: { image_url: dataUrl(mask) } });
    expect(sentFiles()).toEqual([
      ['image', 'image/png', sha256(png)],
      ['mask', 'image/png', sha256(mask)],
    ]);
  });
});

describe('POST /v1/images/edits', () => {
  it('accepts JSON with data URLs, and null for absent fields', async () => {
    const images = [{ image_url: dataUrl(png), file_id: null }, { image_url: dataUrl(jpeg, 'image/jpeg') }];
    const response = await editByJson({ images, mask: null, size: null, stream: null });
    expect(response.data).toHaveLength(1);
    expect(sentFiles()).toEqual([
      ['image[]', 'image/png', sha256(png)],
      ['image[]', 'image/jpeg', sha256(jpeg)],
    ]);
  });

  it('accepts addresses, which a worker fetches', async () => {
    const files = createServer((_, response) =>
      response.writeHead(200, { 'content-type': 'image/png' }).end(png),
    );
    await once(files.listen(0, '127.0.0.1'), 'listening');
    const { port } = files.address() as AddressInfo;
    await editByJson({ images: [{ image_url: `http://127.0.0.1:${port}/photo.png` }] });
    files.close();
    expect(sentFiles()).toEqual([['image', 'image/png', sha256(png)]]);
  });

  it('accepts every name of the field of images, and fields after files', async () => {
    const names = ['image', 'image', 'image[]', 'image[0]'];
    const form = formOf(
      { prompt: 'Names', model, n: '1', stream: 'false' },
      names.map((name) => [name, png]),
    );
    expect(await post(form)).toMatchObject({ status: 200 });
    expect(sentFiles()).toHaveLength(4);
  });

  it('sends a markup to a model that takes one', async () => {
    const form = formOf({ prompt: 'Mark', model }, [
      ['image', png],
      ['markup', mask],
    ]);
    expect(await post(form)).toMatchObject({ status: 200 });
    expect(sentFiles()?.map(([field]) => field)).toEqual(['image', 'markup']);
  });

  it('responds with the job to a request that does not wait', async () => {
    const form = formOf({ prompt: 'Later', model }, [['image', png]]);
    const { status, body } = await post(form, { headers: { prefer: 'respond-async' } });
    expect(status).toBe(202);
    expect((await service.acme.ended(body.id)).status).toBe('succeeded');
  });

  it('joins a retry with the same files, and no request with other files', async () => {
    const held: ServerResponse[] = [];
    provider.respondOnce((response) => void held.push(response));
    const formWith = (bytes: Buffer) => formOf({ prompt: 'Once', model }, [['image', bytes]]);
    const abort = new AbortController();
    const first = failureOf(post(formWith(png), { signal: abort.signal }));
    await expect.poll(() => held.length, { timeout: 20_000 }).toBe(1);
    abort.abort();
    await first;

    const retry = { headers: { 'x-stainless-retry-count': '1' } };
    const other = await post(formWith(jpeg), retry);
    expect(other.headers.get('x-darkroom-joined')).toBeNull();
    const again = post(formWith(png), retry);
    await expect
      .poll(async () => (await service.acme.get('/images?limit=5')).body.data.length, { timeout: 20_000 })
      .toBeGreaterThan(1);
    const image = (await noiseImage(64, 64)).toString('base64');
    held[0]
      ?.writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ created: 1, data: [{ b64_json: image }] }));
    const { headers, body } = await again;
    expect(headers.get('x-darkroom-joined')).toBe(headers.get('x-darkroom-job-id'));
    expect(body.data[0]?.b64_json).toBe(image);
    expect(provider.requests.map(({ files }) => files[0]?.sha256)).toEqual([sha256(png), sha256(jpeg)]);
  });
});
