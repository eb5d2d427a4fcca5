import { expect, it, onTestFinished } from 'vitest';
import { ProviderError } from '../../src/domain/ports.ts';
import { openOpenAI } from '../../src/outbound/providers/openai/open.ts';
import { contextOf } from '../support/provider-calls.ts';
import { respondWith, serve } from '../support/scripted-server.ts';

/** Gateways echo the key of a deployment in any part of a response. No part may reach a job or the log. */

const keys = [
  '0f1e2d3c4b5a69788796a5b4c3d2e1f0.Zx9QwErTy7UiOp5A',
  'sk-proj.QWErtyUIOPasd7',
  'my-gateway-key',
];
const onePixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const json = (body: object) => JSON.stringify(body);

const echoes: readonly (readonly [what: string, respond: (key: string) => Parameters<typeof respondWith>])[] =
  [
    ['message of a 400', (key) => [400, json({ error: { message: `The key ${key} may not` } })]],
    [
      'cut message of a 400',
      (key) => [400, json({ error: { message: `${'m'.repeat(1_180)} key ${key} no` } })],
    ],
    ['code of a 500', (key) => [500, json({ error: { message: 'no', code: key } })]],
    ['code of a 200', (key) => [200, json({ error: { message: 'no', code: key } })]],
    ['message of a 200', (key) => [200, json({ error: { message: `bad key ${key} here`, code: 'x_new' } })]],
    [
      'message of a stream',
      (key) => [
        200,
        `data: ${json({ type: 'error', error: { message: `bad key ${key} here`, type: 'server_error' } })}\n\n`,
        { 'content-type': 'text/event-stream' },
      ],
    ],
    ['request id', (key) => [400, json({ error: { code: 'invalid_value' } }), { 'x-request-id': key }]],
    [
      'category of a refusal',
      (key) => [
        400,
        json({ error: { code: 'moderation_blocked', moderation_details: { categories: [key] } } }),
      ],
    ],
    [
      'revised prompt',
      (key) => [200, json({ data: [{ b64_json: onePixel, revised_prompt: `key ${key}` }] })],
    ],
  ];

it.each(keys.flatMap((key) => echoes.map(([what, respond]) => ({ what, key, respond }))))(
  'a key is redacted in the $what, whatever its form: $key',
  async ({ key, respond }) => {
    const server = await serve(respondWith(...respond(key)));
    const provider = openOpenAI({
      ...{ name: 'openai', apiKey: key, baseUrl: server.url, mode: 'images' as const },
      ...{ hostModelName: 'gpt-5.6', enhanceModel: 'gpt-5.6', clock: Date.now, proxyFor: () => undefined },
    });
    onTestFinished(() => provider.close());
    const call = { model: 'gpt-image-2', prompt: 'A fox', parameters: {} };
    const said: unknown[] = [];
    try {
      await provider.images.generate(call, contextOf(), async (head, body) => {
        const { image: _image, ...rest } = await provider.images.decode(body);
        said.push(head, rest);
      });
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      said.push(error.failure, error.stack, error.cause instanceof Error ? error.cause.stack : null);
    }
    expect(said).not.toHaveLength(0);
    for (const part of key.split(/[.]/)) expect(JSON.stringify(said)).not.toContain(part);
  },
);
