import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { generation } from '../support/generation.ts';
import { contextOf, imageCall, imageResponse, openAIProvider } from '../support/provider-calls.ts';
import { type Script, serve } from '../support/scripted-server.ts';

/** Tests responses whose JSON is complete although the transport ends otherwise than announced. */

let png: Buffer;
let text: string;
beforeAll(async () => {
  ({ png, text } = await imageResponse());
});

/** Runs a whole job against a script that responds to every call. */
async function runWith(script: Script, request: object = {}) {
  const server = await serve(script);
  const made = generation({ realProvider: openAIProvider(server.url), maxPaidAttempts: 2, request });
  await made.runPaidCalls();
  const { status, attempts } = made.job();
  const stored = [...made.stored.values()].map((bytes) => Buffer.from(bytes).equals(png));
  return { status, calls: server.seen.length, stored, hasCost: (attempts.at(-1)?.costMicroUsd ?? 0) > 0 };
}

const writeThen =
  (body: string | Buffer, end: (response: ServerResponse) => void, headers = {}): Script =>
  (response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    response.write(body, () => end(response));
  };
const close = (response: ServerResponse) => response.socket?.end();
const silence = () => undefined;

describe('a complete response with an untidy end', () => {
  const scripts: readonly [string, () => Script][] = [
    ['a length that is too large', () => writeThen(text, close, { 'content-length': text.length + 2 })],
    ['chunks without an end', () => writeThen(text, close)],
    ['chunks and silence', () => writeThen(text, silence)],
    ['white space and silence', () => writeThen(`${text}\n\n`, silence)],
    ['endless bytes behind it', () => writeThen(text, (response) => response.write(Buffer.alloc(4_000_000)))],
    [
      'gzip without its trailer',
      () =>
        writeThen(gzipSync(text).subarray(0, -8), (response) => response.end(), {
          'content-encoding': 'gzip',
        }),
    ],
  ];

  it.each(scripts)('is stored after one call, with its cost: %s', async (_name, script) => {
    expect(await runWith(script())).toEqual({ status: 'succeeded', calls: 1, stored: [true], hasCost: true });
  });

  it.each(scripts)('is stored after one call although previews were requested: %s', async (_name, script) => {
    const result = await runWith(script(), { partial_images: 2 });
    expect(result).toEqual({ status: 'succeeded', calls: 1, stored: [true], hasCost: true });
  });

  it.each([
    ['closed', close],
    ['reset', (response: ServerResponse) => response.socket?.resetAndDestroy()],
  ])('reaches a slow reader although the connection is %s behind the last byte', async (_name, end) => {
    let response: ServerResponse | undefined;
    const server = await serve((sent) => {
      response = sent;
      sent.writeHead(200).write(text);
    });
    const parts: Uint8Array[] = [];
    await openAIProvider(server.url).generate(imageCall('a fox'), contextOf(), async (_head, body) => {
      for await (const part of body) {
        parts.push(part);
        if (!Buffer.concat(parts).toString().endsWith('}')) continue;
        if (response) end(response);
        await server.seen[0]?.closed;
      }
    });
    expect(Buffer.concat(parts).toString()).toBe(text);
  });

  it('reaches a slow reader although the connection breaks while earlier bytes are written', async () => {
    const server = await serve(writeThen(text, close));
    const parts: Uint8Array[] = [];
    await openAIProvider(server.url).generate(imageCall('a fox'), contextOf(), async (_head, body) => {
      for await (const part of body) {
        parts.push(part);
        await server.seen[0]?.closed;
      }
    });
    expect(Buffer.concat(parts).toString()).toBe(text);
  });
});

describe('a response that breaks off behind its image', () => {
  it('is stored after one call, and its cost is unknown', async () => {
    const cut = text.slice(0, text.indexOf('"}],"usage"') + 2);
    const result = await runWith(writeThen(cut, close));
    expect(result).toEqual({ status: 'succeeded', calls: 1, stored: [true], hasCost: false });
  });

  it('is paid a second time if its image is not complete', async () => {
    const cut = text.slice(0, text.indexOf('"}],"usage"') - 40);
    expect(await runWith(writeThen(cut, close))).toMatchObject({ status: 'failed', calls: 2, stored: [] });
  });
});
