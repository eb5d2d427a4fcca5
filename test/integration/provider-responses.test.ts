import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { generation } from '../support/generation.ts';
import { noiseImage } from '../support/images.ts';
import { openAIProvider } from '../support/provider-calls.ts';
import { bareError, outcomes, runAgainst } from '../support/provider-outcomes.ts';
import { respondWith, serve } from '../support/scripted-server.ts';

let png: Buffer;
let base64: string;
beforeAll(async () => {
  png = await noiseImage(64, 64);
  base64 = png.toString('base64');
});

describe('a complete response of another shape', () => {
  const rows: readonly [string, () => unknown, RegExp][] = [
    ['a link', () => ({ data: [{ url: 'https://cdn.example/a.png' }] }), /a link instead of the image/],
    ['a task', () => ({ task_id: 'task_1', status: 'submitted' }), /a task to poll/],
    ['a task in data', () => ({ code: 200, data: { task_id: 'task_1' }, message: 'ok' }), /a task to poll/],
    ['an event stream', () => 'data: {"type":"image_generation.completed"}\n\n', /an event stream/],
    ['a web page', () => '<!doctype html><title>Sign in</title>', /a web page/],
    ['raw bytes', () => png.toString('latin1'), /not a JSON object|raw bytes/],
    [
      'an archive',
      () => ({ data: [{ b64_json: Buffer.from('PK\x03\x04....').toString('base64') }] }),
      /zip archive/,
    ],
    ['an AVIF', () => ({ data: [{ b64_json: Buffer.from('\0\0\0 ftypavif').toString('base64') }] }), /AVIF/],
    ['an empty list', () => ({ data: [] }), /list "data" is empty/],
    ['other bytes', () => ({ data: [{ b64_json: 'AAAA' }] }), /the bytes are no PNG/],
    ['a sentence', () => ({ data: [{ b64_json: 'I can not draw that.' }] }), /the text "I can not draw/],
  ];
  it.each(rows)('ends the job after one call and names the shape: %s', async (_name, body, message) => {
    const { made, summary } = await runAgainst(200, body());
    expect(summary).toEqual(outcomes.unusable);
    expect(made.job().errors?.[0]?.message).toMatch(message);
  });

  it.each([
    [200, ''],
    [204, ''],
    [205, ''],
    [302, ''],
    [303, 'See other'],
    [308, ''],
    [300, '{"data":[]}'],
  ])('ends the job after one call if status %i brings %j', async (status, body) => {
    const headers = status < 300 ? {} : { location: '/v1/elsewhere' };
    expect((await runAgainst(status, body, headers)).summary).toEqual(outcomes.unusable);
  });

  it.each([
    ['cut off', () => base64.slice(0, -40)],
    ['damaged', () => `${base64.slice(0, 40)}!${base64.slice(41)}`],
  ])('pays a second time for damaged bytes, which another call can cure: %s', async (_name, image) => {
    const { summary } = await runAgainst(200, { data: [{ b64_json: image() }] });
    expect(summary).toEqual({ ...outcomes.unusable, calls: 2 });
  });
});

describe('a response with a stated encoding', () => {
  it.each(['gzip', 'GZIP', 'x-gzip', 'BR', 'Deflate', 'identity', 'utf-8', 'aws-chunked'])(
    'reads a plain response whose Content-Encoding says %s, with one call',
    async (encoding) => {
      const { summary } = await runAgainst(
        200,
        { data: [{ b64_json: base64 }] },
        { 'content-encoding': encoding },
      );
      expect(summary).toMatchObject({ status: 'succeeded', calls: 1 });
    },
  );

  const codings: readonly [string, string, (text: string) => Buffer][] = [
    ['raw deflate', 'deflate', (text) => deflateRawSync(text)],
    ['deflate', 'deflate', (text) => deflateSync(text)],
    ['gzip behind identity', 'identity, gzip', (text) => gzipSync(text)],
    ['gzip before identity', 'gzip, identity', (text) => gzipSync(text)],
    ['gzip twice', 'gzip, gzip', (text) => gzipSync(gzipSync(text))],
    ['gzip inside Brotli', 'gzip, br', (text) => brotliCompressSync(gzipSync(text))],
    ['gzip that is called Brotli', 'br', (text) => gzipSync(text)],
    ['plain JSON with a byte order mark', 'gzip', (text) => Buffer.from(`\ufeff${text}`)],
    ['plain JSON with a byte order mark that is called Brotli', 'br', (text) => Buffer.from(`\ufeff${text}`)],
  ];
  it.each(codings)('reads %s, with one call', async (_name, encoding, pack) => {
    const server = await serve((response) =>
      response
        .writeHead(200, { 'content-encoding': encoding })
        .end(pack(JSON.stringify({ data: [{ b64_json: base64 }] }))),
    );
    const made = generation({ realProvider: openAIProvider(server.url), maxPaidAttempts: 2 });
    await made.run();
    expect([made.job().status, server.seen.length]).toEqual(['succeeded', 1]);
  });

  it.each([
    ['text', 'internal error', /not a JSON object/],
    ['an image', '\x89PNG\r\n\x1a\n', /JSON/],
  ])('ends the job after one call if %s is called gzip', async (_name, body, message) => {
    const { made, summary } = await runAgainst(200, body, { 'content-encoding': 'gzip' });
    expect(summary).toEqual(outcomes.unusable);
    expect(made.job().errors?.[0]?.message).toMatch(message);
  });
});

describe('a paid response', () => {
  it('ends the job after one call if a stream with previews is of another API', async () => {
    const server = await serve(respondWith(200, 'data: {"task_id":"t","status":"pending"}\n\n'));
    const realProvider = openAIProvider(server.url);
    const made = generation({ realProvider, maxPaidAttempts: 2, request: { partial_images: 2 } });
    await made.run();
    expect([made.job().errors?.[0]?.code, server.seen.length]).toEqual(['provider_unusable_answer', 1]);
  });

  it('stores a JPEG that is followed by other bytes unchanged, with one call', async () => {
    const trailed = Buffer.concat([await noiseImage(64, 64, 'jpeg'), Buffer.from('trailer')]);
    const { made, summary } = await runAgainst(200, { data: [{ b64_json: trailed.toString('base64') }] });
    expect(summary).toMatchObject({ status: 'succeeded', calls: 1 });
    expect([...made.stored.values()].map((bytes) => bytes.equals(trailed))).toEqual([true]);
  });

  it('stores an image from a data URI, and an image that is followed by other bytes', async () => {
    const uri = await runAgainst(200, { data: [{ url: `data:image/png;base64,${base64}` }] });
    expect(uri.summary).toMatchObject({ status: 'succeeded', calls: 1 });
    const trailed = Buffer.concat([png, Buffer.from('trailer')]);
    const { made, summary } = await runAgainst(200, { data: [{ b64_json: trailed.toString('base64') }] });
    expect(summary).toMatchObject({ status: 'succeeded', calls: 1 });
    expect([...made.stored.values()].map((bytes) => bytes.equals(trailed))).toEqual([true]);
  });

  it('pays once if the worker dies between the response and the end of the job', async () => {
    const { made, server } = await runAgainst(200, { data: [] });
    const { errors: _errors, finishedAt: _finishedAt, ...open } = made.job();
    made.set(() => ({ ...open, status: 'running' }));
    await made.run();
    expect(server.seen).toHaveLength(1);
    expect(made.job()).toMatchObject({ status: 'failed', errors: [{ code: 'provider_unusable_answer' }] });
  });
});

describe('a hint how long to wait', () => {
  it.each(['0', '0.001', '-1', '', 'soon'])(
    'never shortens the backoff because of Retry-After: %j',
    async (hint) => {
      const { made, summary, server } = await runAgainst(429, bareError('rate_limit_exceeded'), {
        'retry-after': hint,
      });
      expect(summary).toEqual(outcomes.limited);
      expect(await made.run()).toEqual({ againInMs: 500 });
      expect(server.seen).toHaveLength(1);
    },
  );

  it.each([
    ['retry-after', '99999999'],
    ['retry-after-ms', '99999999999'],
    ['retry-after', 'Fri, 31 Dec 2200 23:59:59 GMT'],
    ['x-ratelimit-reset-requests', '999999h'],
  ])('limits the wait before a probe to 30 s for %s: %s', async (name, value) => {
    const server = await serve(respondWith(503, bareError(null), { [name]: value }));
    const made = generation({ realProvider: openAIProvider(server.url) });
    const { againInMs } = (await made.run()) as { againInMs: number };
    expect(againInMs).toBeLessThanOrEqual(30_000);
    expect(made.job()).toMatchObject({ blocked: { scope: 'openai:model:gpt-image-2' } });
  });
});
