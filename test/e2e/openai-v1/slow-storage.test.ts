import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import OpenAI from 'openai';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { storageIn } from '../../support/bucket.ts';
import { respondWithError, startTestS3, type TestS3 } from '../../support/s3-server.ts';
import { startServiceIn, type TestService } from '../../support/service.ts';
import { createEnvironment, imageCalls, testKeys } from '../../support/service-environment.ts';

/** Requests of `/v1` whose images are made, while the storage that holds them is slow or refuses reads. */

let s3: TestS3;
let api: TestService;
beforeAll(async () => {
  s3 = await startTestS3();
  const environment = await createEnvironment({ ...storageIn(s3), V1_KEEP_ALIVE_S: '1' });
  // In another process than the worker, which shares the bytes of its images with callers.
  api = await startServiceIn(environment, { ROLES: 'api' });
  const worker = await startServiceIn(environment, { ROLES: 'worker' });
  return async () => {
    await api.close();
    await worker.close();
    await environment.remove();
    await s3.stop();
  };
});
beforeEach(() => s3.intercept(null));

/** Passes each read of an object with this end of its key to a function, which responds or returns false. */
function onRead(end: string, respond: (request: IncomingMessage, response: ServerResponse) => boolean): void {
  s3.intercept((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    return request.method === 'GET' && path.endsWith(end) && respond(request, response);
  });
}

/** Refuses so many reads of images. */
function refuseReads(count: number, error: { status: number; code: string }): void {
  let refused = 0;
  onRead('.png', (request, response) => {
    refused += 1;
    if (refused <= count) respondWithError(request, response, error);
    return refused <= count;
  });
}

const openai = (maxRetries = 0) =>
  new OpenAI({
    apiKey: testKeys.acme,
    baseURL: `${api.url}/v1`,
    maxRetries,
    defaultHeaders: { via: 'test' },
  });

it.each([{}, { stream: true }])(
  'gets its image although the storage limits reads for some seconds (%j)',
  async (form) => {
    refuseReads(5, { status: 503, code: 'SlowDown' });
    const response = await openai()
      .images.generate({ prompt: `A limited dawn ${JSON.stringify(form)}`, ...form })
      .asResponse();
    const text = await response.text();
    expect(text).toContain('"b64_json":"iVBOR');
  },
);

it.each([{}, { stream: true }])(
  'gets its whole image although the storage breaks off twice (%j)',
  async (form) => {
    let reads = 0;
    onRead('.png', (_request, response) => {
      reads += 1;
      if (reads > 2) return false;
      const write = response.write.bind(response) as (...given: unknown[]) => boolean;
      const cut = (chunk: unknown) => {
        write(Buffer.from(chunk as Uint8Array).subarray(0, 5_000 * reads), () => response.destroy());
        return true;
      };
      response.write = cut as typeof response.write;
      response.end = cut as unknown as typeof response.end;
      return false;
    });
    const prompt = `A broken dawn ${JSON.stringify(form)}`;
    const response = await openai()
      .images.generate({ prompt, ...form })
      .asResponse();
    const [, image = ''] = /"b64_json":"([^"]+)"/.exec(await response.text()) ?? [];
    const bytes = Buffer.from(image, 'base64');
    const sent = imageCalls(api.studio, prompt)[0]?.images[0];
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sent?.sha256);
    expect(reads).toBe(3);
  },
);

it('gets its image by a retry of the official client if the storage refused the first read', async () => {
  refuseReads(1, { status: 403, code: 'AccessDenied' });
  const { data } = await openai(2).images.generate({ prompt: 'A refused dawn' });
  expect(data?.[0]?.b64_json).toMatch(/^iVBOR/);
  expect(imageCalls(api.studio, 'A refused dawn')).toHaveLength(1);
});

it('gets signs of life while its image is read from a slow storage', async () => {
  const read = new Promise<() => void>((resolve) => {
    onRead('.png', (request, response) => {
      s3.intercept(null);
      resolve(() => respondWithError(request, response, { status: 503, code: 'SlowDown' }));
      return true;
    });
  });
  const response = await openai().images.generate({ prompt: 'A slow dawn' }).asResponse();
  const release = await read;
  release();
  expect(await response.text()).toMatch(/^ +\{.*"b64_json":"iVBOR/);
});

it('gets its image although the storage does not respond to reads of its previews', async () => {
  onRead('.preview', () => true);
  const stream = await openai().images.generate({ prompt: 'A dawn', n: 2, stream: true, partial_images: 2 });
  const types: string[] = [];
  for await (const { type } of stream) types.push(type);
  expect(types).toEqual(['image_generation.completed', 'image_generation.completed']);
}, 30_000);

it('closes the read of an image whose caller left while the storage opened it', async () => {
  const opened = new Promise<ServerResponse>((resolve) => {
    onRead('.png', (_request, response) => {
      resolve(response);
      return true;
    });
  });
  const leave = new AbortController();
  const body = { prompt: 'A left dawn', stream: true as const };
  const stream = await openai().images.generate(body, { signal: leave.signal });
  const reading = (async () => {
    for await (const _ of stream);
  })().catch(() => {});
  const response = await opened;
  leave.abort();
  await reading;
  const closed = new Promise((resolve) => response.once('close', resolve));
  response.writeHead(200, { etag: '"1"', 'content-type': 'image/png', 'content-length': 50_000_000 });
  response.write(Buffer.alloc(1_000_000));
  await closed;
}, 20_000);
