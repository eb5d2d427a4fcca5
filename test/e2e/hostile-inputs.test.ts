import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import {
  type EntryRequest,
  type EntryResponse,
  editFields,
  entries,
  formBody,
  formType,
  sendEntry,
} from '../support/hostile-entries.ts';
import { hostileFiles } from '../support/hostile-files.ts';
import { clearMask, noiseImage } from '../support/images.ts';
import { watchMemory } from '../support/process-memory.ts';
import { openRaw, readResponse } from '../support/raw-http.ts';
import { type RecordingProvider, startRecordingProvider } from '../support/recording-provider.ts';
import { createEnvironment, type TestEnvironment, testKeys } from '../support/service-environment.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';

/** Without an empty file, which as a body is no body. */
const hostile = (await hostileFiles()).filter(({ bytes }) => bytes.length > 0);
const png = await noiseImage(320, 200);
const mebibyte = 1024 * 1024;
const maxGrowthBytes = 50 * mebibyte;

let provider: RecordingProvider;
let environment: TestEnvironment;
let service: ServiceProcess;
const times: number[] = [];
beforeAll(async () => {
  provider = await startRecordingProvider();
  environment = await createEnvironment(provider.env);
  service = await startServiceProcess(environment.env);
  // The first requests load code and grow the heap.
  for (let round = 0; round < 3; round += 1) {
    for (const { requestOf } of entries) await send(requestOf(png.subarray(0, 1_000)));
  }
  times.splice(0);
});
afterAll(async () => {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  console.info(`${times.length} refusals: median ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms`);
  await service.stop();
  await environment.remove();
  await provider.close();
});
beforeEach(() => void provider.requests.splice(0));

async function send(request: EntryRequest): Promise<EntryResponse> {
  const response = await sendEntry(service.url, request);
  times.push(response.tookMs);
  return response;
}

const filesIn = async (folder: string) => {
  const found = await readdir(join(environment.dataDir, folder), { recursive: true, withFileTypes: true });
  return found.filter((each) => each.isFile()).map(({ name }) => name);
};

/** Expects that refused requests left no job, no upload, no file and no paid call. */
async function expectNothingLeft(): Promise<void> {
  const jobs = await service.acme.get('/images').expect(200);
  const uploads = await service.acme.get('/uploads').expect(200);
  expect([jobs.body.data, uploads.body.data, provider.requests]).toEqual([[], [], []]);
  await eventually(async () => {
    const left = await Promise.all(['incoming', 'images'].map((folder) => filesIn(folder).catch(() => [])));
    expect(left).toEqual([[], []]);
  });
}

const formOf = (path: string, ...parts: Parameters<typeof formBody>): EntryRequest => ({
  path,
  contentType: formType,
  body: formBody(...parts),
});
const jsonOf = (path: string, body: object): EntryRequest => ({
  path,
  contentType: 'application/json',
  body: Buffer.from(JSON.stringify(body)),
});
const data = (bytes: Buffer) => bytes.toString('base64');
const url = (bytes: Buffer) => `data:image/png;base64,${data(bytes)}`;

describe('a hostile file', () => {
  it.each(hostile)(
    'is refused at every entry with its reason and field: $name',
    async ({ bytes, reason }) => {
      const growth = await watchMemory(service.pid);
      const requests = entries.map(({ requestOf }) => requestOf(bytes));
      const responses = await Promise.all(requests.map(send));
      for (const [i, { name, isOpenAi, pointer, param }] of entries.entries()) {
        expect(responses[i], name).toMatchObject({
          status: isOpenAi ? 400 : 422,
          code: 'input_invalid',
          pointer,
          param,
          detail: expect.stringMatching(reason),
        });
      }
      await expectNothingLeft();
      const inFlight = requests.reduce((sum, { body }) => sum + body.length, 0);
      expect(await growth()).toBeLessThan(maxGrowthBytes + inFlight);
    },
  );

  it('is refused at every entry if it has 51 MB', async () => {
    const large = Buffer.alloc(51 * mebibyte, png);
    for (const { name, pointer, param, requestOf } of entries) {
      const response = await send(requestOf(large));
      expect(response, name).toMatchObject({ status: 413, code: 'payload_too_large' });
      if (/^(a )?data /.test(name)) expect(response.detail, name).toContain('POST /uploads');
      else expect(response, name).toMatchObject({ pointer, param });
    }
    await expectNothingLeft();
  });
});

describe('a hostile form', () => {
  const many = (count: number, field = 'image[]') =>
    Array.from({ length: count }, (): [string, Buffer] => [field, png]);

  it.each([17, 18, 25])('is refused if it has %i images, and so are as many in JSON', async (count) => {
    const list = Array(count);
    for (const [request, status, param] of [
      [formOf('/images', many(count), editFields), 422, 'images'],
      [jsonOf('/images', { ...editFields, images: list.fill({ data: data(png) }) }), 422, 'images'],
      [formOf('/v1/images/edits', many(count), editFields), 400, 'image'],
      [
        jsonOf('/v1/images/edits', { ...editFields, images: list.fill({ image_url: url(png) }) }),
        400,
        'images',
      ],
    ] as const) {
      const expected = { status, code: 'validation_failed', pointer: '/images', param };
      expect(await send(request), request.path).toMatchObject(expected);
    }
    await expectNothingLeft();
  });

  const masks: readonly [string, () => Promise<Buffer>, RegExp][] = [
    ['has another size', () => clearMask(200, 320), /size of the first image/],
    ['has no alpha channel', async () => png, /no alpha channel/],
    ['is a JPEG', () => noiseImage(320, 200, 'jpeg'), /PNG/],
    ['is cut in the middle', async () => (await clearMask(320, 200)).subarray(0, 200), /truncated/],
  ];
  it.each(masks)('is refused if its mask %s, and so is JSON with that mask', async (_, create, reason) => {
    const mask = await create();
    const files: [string, Buffer][] = [
      ['mask', mask],
      ['image', png],
    ];
    const images = { images: [{ data: data(png) }], mask: { data: data(mask) } };
    const urls = { images: [{ image_url: url(png) }], mask: { image_url: url(mask) } };
    for (const [request, status] of [
      [formOf('/images', files, editFields), 422],
      [jsonOf('/images', { ...editFields, ...images }), 422],
      [formOf('/v1/images/edits', files, editFields), 400],
      [jsonOf('/v1/images/edits', { ...editFields, ...urls }), 400],
    ] as const) {
      const response = await send(request);
      expect(response, request.path).toMatchObject({ status, code: 'input_invalid', pointer: '/mask' });
      expect(response.detail).toMatch(reason);
    }
    await expectNothingLeft();
  });

  it('is refused if it ends early, in a file, in a text or before its boundary', async () => {
    const forms = entries
      .map((entry) => entry.requestOf(png))
      .filter(({ contentType }) => contentType === formType);
    expect(forms).toHaveLength(4);
    for (const { path, contentType, body } of forms) {
      for (const end of [20, 150, 50_000, body.length - 10, body.length - 4]) {
        const response = await send({ path, contentType, body: body.subarray(0, end) });
        expect(response, `${path} ${end}`).toMatchObject({ status: 400, code: 'invalid_request' });
      }
    }
    await expectNothingLeft();
  });

  it('is refused if a text is cut by its limit', async () => {
    const fields = { ...editFields, prompt: 'a'.repeat(2.6 * mebibyte) };
    for (const path of ['/images', '/v1/images/edits']) {
      const response = await send(formOf(path, [['image', png]], fields));
      expect(response, path).toMatchObject({
        status: 413,
        code: 'payload_too_large',
        pointer: '/prompt',
        param: 'prompt',
      });
    }
    await expectNothingLeft();
  });
});

describe('a hostile JSON body', () => {
  it.each(['[],', '{},', '"",', '1,', '[', '"\\u0000",'])(
    'is refused before it is parsed if 30 MB repeat %s',
    async (part) => {
      const growth = await watchMemory(service.pid);
      const body = Buffer.from(`{"images":[${part.repeat((30 * mebibyte) / part.length)}0]}`);
      for (const path of ['/images', '/v1/images/edits']) {
        const response = await send({ path, contentType: 'application/json', body });
        expect(response, path).toMatchObject({ status: 413, code: 'payload_too_large' });
      }
      await expectNothingLeft();
      expect(await growth()).toBeLessThan(maxGrowthBytes + 2 * body.length);
    },
  );
});

describe('a slow body', () => {
  it('gets one response if the request was refused before its body', { timeout: 60_000 }, async () => {
    const connection = await openRaw(Number(new URL(service.url).port));
    const head = 'POST /uploads HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer wrong\r\n';
    connection.socket.write(`${head}content-type: image/png\r\ncontent-length: 600000\r\n\r\n`);
    await new Promise((resolve) => connection.socket.once('close', resolve).once('end', resolve));
    connection.socket.destroy();
    const received = connection.received().toString('latin1');
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401']);
  });

  it('ends with 408 at every entry if it sends one byte a second', { timeout: 60_000 }, async () => {
    const port = Number(new URL(service.url).port);
    const responses = await Promise.all(
      entries.map(async ({ requestOf }) => {
        const { path, contentType, body } = requestOf(png);
        const connection = await openRaw(port);
        const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${testKeys.acme}\r\n`;
        connection.socket.write(
          `${head}content-type: ${contentType}\r\ncontent-length: ${body.length}\r\n\r\n`,
        );
        connection.socket.write(body.subarray(0, 300));
        const rest = body.subarray(300).values();
        const timer = setInterval(() => connection.socket.write(Buffer.of(rest.next().value ?? 0)), 1_000);
        await connection.gone.finally(() => clearInterval(timer));
        const response = readResponse(connection.received(), { ended: true, isHead: false });
        const { instance } = JSON.parse(String(response?.body)) as { instance?: string };
        return { status: response?.status, isNamed: instance === path };
      }),
    );
    expect(responses).toEqual(entries.map(() => ({ status: 408, isNamed: true })));
    await expectNothingLeft();
  });
});
