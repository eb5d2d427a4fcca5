import { describe, expect, it } from 'vitest';
import {
  collector,
  contextOf,
  failureOf,
  imageCall,
  imageResponse,
  openAIProvider,
} from '../support/provider-calls.ts';
import { respondWith, serve } from '../support/scripted-server.ts';
import { listenTcp } from '../support/tcp-server.ts';

/** Calls a server that writes the given pieces, one after the other, and returns the received body. */
async function bodyAfter(pieces: readonly string[]): Promise<string> {
  const { port } = await listenTcp((socket) => {
    const writeNext = ([next, ...rest]: readonly string[]) => {
      if (next === undefined) socket.end();
      else socket.write(next, () => setImmediate(writeNext, rest));
    };
    socket.setNoDelay().once('data', () => writeNext(pieces));
  });
  const { sink, bytes } = collector();
  await openAIProvider(`http://127.0.0.1:${port}/v1`).generate(imageCall('a cat'), contextOf(), sink);
  return bytes().toString();
}

describe('an unusual response', () => {
  const interim = 'HTTP/1.1 100 Continue\r\n\r\n';

  it.each([
    ['100', [interim]],
    ['100 with headers', ['HTTP/1.1 100 Continue\r\nx-a: b\r\n\r\n']],
    ['100 in pieces', [...interim]],
    ['100 twice', [interim + interim]],
    [
      '102, 100 and 103',
      ['HTTP/1.1 102 Processing\r\n\r\n', interim, 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'],
    ],
  ])('is received after interim responses: %s', async (_name, before) => {
    const { text } = await imageResponse();
    const response = `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
    expect(await bodyAfter([...before, response])).toBe(text);
    expect(await bodyAfter([before.join('') + response])).toBe(text);
  });

  it('is received with 60 KiB of headers', async () => {
    const { text } = await imageResponse();
    const server = await serve(respondWith(200, text, { 'x-policy': 'a'.repeat(60 * 1024) }));
    const { sink, bytes } = collector();
    await openAIProvider(server.url).generate(imageCall('a cat'), contextOf(), sink);
    expect(bytes().toString()).toBe(text);
  });

  it.each([
    [500, 'moderation_blocked', 'moderation_blocked'],
    [500, 'rate_limit_exceeded', 'provider_rate_limited'],
    [400, 'insufficient_quota', 'provider_quota_exhausted'],
  ])('with status %i and a long text is classified by its code %s', async (status, code, expected) => {
    const error = { code, message: 'x'.repeat(300_000) };
    const text = JSON.stringify({ error });
    const whole = await serve(respondWith(status, text));
    const cut = await serve((response) => {
      response.writeHead(status, { 'content-length': text.length });
      response.write(text.slice(0, 1_000), () => response.destroy());
    });
    for (const { url } of [whole, cut]) {
      const call = openAIProvider(url).generate(imageCall('a cat'), contextOf(), collector().sink);
      expect(await failureOf(call)).toMatchObject({ code: expected, billing: 'none' });
    }
  });
});
