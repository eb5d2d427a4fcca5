import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { CallInput, ImageCall } from '../../src/domain/ports.ts';
import { backgroundProvider } from '../support/background-calls.ts';
import { chunked } from '../support/images.ts';
import { contextOf, drain, failureOf, openAIProvider } from '../support/provider-calls.ts';
import { listenTcp } from '../support/tcp-server.ts';

const sizeBytes = 12 * 1024 * 1024;
const input: CallInput = {
  role: 'image',
  index: 0,
  contentType: 'image/png',
  sizeBytes,
  open: async () => chunked(Buffer.alloc(sizeBytes), 64 * 1024),
};
const edit: ImageCall = {
  model: 'gpt-image-2.6-flare',
  prompt: 'Add snow',
  parameters: { size: '1024x1024', quality: 'low' },
  inputs: [input],
};

/** Starts a server that acts after the first bytes of a request, and returns its address. */
async function actingEarly(act: (socket: Socket) => void): Promise<string> {
  const { port } = await listenTcp((socket) => socket.once('data', () => act(socket)));
  return `http://127.0.0.1:${port}/v1`;
}

const response = (status: number, body: string) =>
  `HTTP/1.1 ${status} X\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;

describe.each([
  ['Images', openAIProvider],
  ['Responses', backgroundProvider],
] as const)('an upload of the %s API', (_api, providerAt) => {
  it.each([
    ['is reset', (socket: Socket) => socket.resetAndDestroy()],
    ['is closed', (socket: Socket) => socket.destroy()],
    [
      'ends with an error of the server',
      (socket: Socket) => socket.end(response(502, '<html>bad gateway</html>')),
    ],
  ])('costs nothing if its connection %s before its last byte was sent', async (_name, act) => {
    const provider = providerAt(await actingEarly(act));
    expect(await failureOf(provider.generate(edit, contextOf(), drain))).toMatchObject({
      kind: 'refused',
      code: 'provider_unreachable',
      billing: 'none',
    });
  });

  it.each([
    [401, '{"error":{"code":"invalid_api_key"}}', 'provider_unauthorized'],
    [413, '{"error":{"message":"too large"}}', 'provider_rejected'],
    [429, '{"error":{"code":"rate_limit_exceeded"}}', 'provider_rate_limited'],
    [400, '{"error":{"code":"moderation_blocked"}}', 'moderation_blocked'],
  ])('ends with the early response %i of a server that closes the connection', async (status, body, code) => {
    const text = response(status, body);
    for (const act of [
      (socket: Socket) => socket.end(text),
      (socket: Socket) => socket.write(text, () => socket.destroy()),
      (socket: Socket) => socket.write(text, () => socket.resetAndDestroy()),
    ]) {
      const provider = providerAt(await actingEarly(act));
      expect(await failureOf(provider.generate(edit, contextOf(), drain))).toMatchObject({ code });
    }
  });
});
