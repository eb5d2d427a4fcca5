import { createHash } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import type { ImageCall } from '../../src/domain/ports.ts';
import { createOpenAIProvider } from '../../src/outbound/providers/openai/images/openai-provider.ts';
import {
  collector,
  contextOf,
  drain,
  failureOf,
  imageResponse,
  openAIProvider,
  watchedSignal,
} from '../support/provider-calls.ts';
import { flood, respondWith, serve } from '../support/scripted-server.ts';

/**
 * Tests requests to OpenAI and the meaning of its responses. Broken calls are tested in
 * openai-provider-faults.test.ts.
 */

const call: ImageCall = {
  model: 'gpt-image-2.6-flare',
  prompt: 'Ein Fuchs 🦊 auf dem „Marktplatz“, 猫',
  parameters: { size: '1024x1024', quality: 'low', output_format: 'png' },
};

let png: Buffer;
let reply: string;
beforeAll(async () => {
  ({ png, text: reply } = await imageResponse());
});

describe('a provider call', () => {
  it('sends exactly the requested fields of a call, unchanged, and nothing hidden', async () => {
    const server = await serve(respondWith(200, reply));
    await openAIProvider(server.url).generate(call, contextOf({ traceparent: '00-aa-bb-01' }), drain);
    expect(server.seen).toHaveLength(1);
    const [request] = server.seen;
    expect(request).toMatchObject({ method: 'POST', path: '/v1/images/generations' });
    expect(JSON.parse(request?.body ?? '')).toEqual({
      ...call.parameters,
      model: call.model,
      prompt: call.prompt,
      n: 1,
    });
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer sk-test-000',
      'x-client-request-id': 'img_1-1',
      traceparent: '00-aa-bb-01',
      'accept-encoding': 'identity',
      'x-stainless-retry-count': '0',
    });
  });

  it('never streams without previews and never requests another number of images', async () => {
    const server = await serve(respondWith(200, reply));
    const parameters = { stream: true, partial_images: 0, n: 4, prompt: 'other', model: 'other' };
    await openAIProvider(server.url).generate({ ...call, parameters }, contextOf(), drain);
    expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual({ model: call.model, prompt: call.prompt, n: 1 });
  });

  it('passes the response body on byte for byte, with the request id of the provider', async () => {
    const server = await serve(respondWith(200, reply, { 'x-request-id': 'req_42' }));
    const { sink, bytes } = collector();
    let head: unknown;
    const returned = await openAIProvider(server.url).generate(call, contextOf(), async (given, body) => {
      head = given;
      await sink(given, body);
    });
    expect(head).toEqual({ providerRequestId: 'req_42' });
    expect(returned).toEqual({ providerRequestId: 'req_42' });
    expect(bytes().toString()).toBe(reply);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('decompresses a body that arrives as %s although it was not requested', async (encoding, pack) => {
    const server = await serve((response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(pack(reply)),
    );
    const { sink, bytes } = collector();
    await openAIProvider(server.url).generate(call, contextOf(), sink);
    expect(server.seen[0]?.headers['accept-encoding']).toBe('identity');
    expect(bytes().toString()).toBe(reply);
  });

  it('marks a call as uncertain if its compressed body is cut off', async () => {
    const packed = gzipSync(reply);
    const server = await serve((response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed.subarray(0, packed.length / 2)),
    );
    const failure = await failureOf(openAIProvider(server.url).generate(call, contextOf(), drain));
    expect(failure).toMatchObject({ kind: 'uncertain', provider: { status: 200 } });
  });

  it('returns a response that decodes to the exact image', async () => {
    const server = await serve(respondWith(200, reply));
    const provider = openAIProvider(server.url, { name: 'studio' });
    const { sink, decoded } = collector();
    await provider.generate(call, contextOf(), sink);
    const response = await decoded(provider);
    expect(response.image.bytes.equals(png)).toBe(true);
    expect(response.usage?.output_tokens).toBe(196);
    expect(provider.name).toBe('studio');
  });

  it('returns to each of 20 concurrent calls its own response', async () => {
    const server = await serve((response, request) => {
      const { prompt } = JSON.parse(request.body) as { prompt: string };
      response.writeHead(200, { 'x-request-id': prompt }).end(prompt.repeat(50_000));
    });
    const provider = openAIProvider(server.url);
    const results = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const { sink, bytes } = collector();
        const head = await provider.generate({ ...call, prompt: `p${i}` }, contextOf(), sink);
        return { head, digest: createHash('sha256').update(bytes()).digest('hex') };
      }),
    );
    results.forEach(({ head, digest }, i) => {
      expect(head).toEqual({ providerRequestId: `p${i}` });
      expect(digest).toBe(createHash('sha256').update(`p${i}`.repeat(50_000)).digest('hex'));
    });
    expect(server.seen).toHaveLength(20);
  });

  it('never reuses the connection of an earlier call', async () => {
    const server = await serve(respondWith(200, '{}'));
    const provider = openAIProvider(server.url);
    for (let i = 0; i < 3; i += 1) await provider.generate(call, contextOf(), drain);
    expect(server.sockets()).toBe(3);
    expect(server.seen[0]?.headers.connection).toBe('close');
  });

  it('leaves no listener on the signal of its caller', async () => {
    const server = await serve(respondWith(200, reply));
    const { signal, listeners } = watchedSignal();
    await openAIProvider(server.url).generate(call, contextOf({ signal }), drain);
    expect(listeners()).toBe(0);
  });
});

/** Status, body, headers, kind and error code of refused calls. */
const refusals: readonly [number, string, Record<string, string>, string, string][] = [
  [500, '{"error":{"code":"server_error","message":"x"}}', {}, 'uncertain', 'provider_outcome_unknown'],
  [500, '{"error":{}}', { 'x-should-retry': 'true' }, 'uncertain', 'provider_outcome_unknown'],
  [502, '<html>bad gateway</html>', {}, 'uncertain', 'provider_outcome_unknown'],
  [408, '', {}, 'uncertain', 'provider_outcome_unknown'],
  [
    429,
    '{"error":{"code":"rate_limit_exceeded"}}',
    { 'retry-after': '2' },
    'refused',
    'provider_rate_limited',
  ],
  [429, '{"error":{"code":"insufficient_quota"}}', {}, 'stopped', 'provider_quota_exhausted'],
  [503, '{"error":{"code":"server_is_overloaded"}}', {}, 'refused', 'provider_overloaded'],
  [401, '{"error":{"code":"invalid_api_key"}}', {}, 'stopped', 'provider_unauthorized'],
  [
    400,
    '{"error":{"code":"moderation_blocked","message":"safety_violations=[sexual]"}}',
    {},
    'final',
    'moderation_blocked',
  ],
  [
    400,
    '{"error":{"code":"unknown_parameter","message":"Unknown parameter: x"}}',
    {},
    'final',
    'provider_rejected',
  ],
  [409, '{}', {}, 'final', 'provider_rejected'],
  [307, '', { location: 'http://127.0.0.1:1/v1/images/generations' }, 'unusable', 'provider_unusable_answer'],
  [302, '', { location: '/v1/elsewhere' }, 'unusable', 'provider_unusable_answer'],
  [204, '', {}, 'unusable', 'provider_unusable_answer'],
];

describe('a refused call', () => {
  it.each(refusals)(
    'makes a call once and classifies its response: %i %s %j',
    async (status, body, headers, kind, code) => {
      const server = await serve(respondWith(status, body, { 'x-request-id': 'req_9', ...headers }));
      const failure = await failureOf(openAIProvider(server.url).generate(call, contextOf(), drain));
      expect(failure).toMatchObject({ kind, code, provider: { status, request_id: 'req_9' } });
      expect(server.seen).toHaveLength(1);
    },
  );

  it('does not repeat a call after 421, for which HTTP allows it', async () => {
    const server = await serve(respondWith(421, '{}'));
    const failure = await failureOf(openAIProvider(server.url).generate(call, contextOf(), drain));
    expect(failure.kind).toBe('final');
    expect(server.seen).toHaveLength(1);
  });

  it('returns the delay that the provider requests', async () => {
    const server = await serve(respondWith(429, '{}', { 'retry-after-ms': '1500' }));
    expect(await failureOf(openAIProvider(server.url).generate(call, contextOf(), drain))).toMatchObject({
      retryAfterMs: 1500,
    });
  });

  it('redacts the API key from an error that echoes it, even if the key has an unusual form', async () => {
    const server = await serve(respondWith(400, '{"error":{"message":"Invalid key my-gateway-key here"}}'));
    const provider = openAIProvider(server.url, { apiKey: 'my-gateway-key' });
    const failure = await failureOf(provider.generate(call, contextOf(), drain));
    expect(failure.message).toContain('Invalid key [redacted] here');
  });

  it('reports the status of a refused call if its body is endless, and closes its socket', async () => {
    const server = await serve((response) => {
      response.writeHead(400, { 'content-type': 'text/plain' });
      flood(response);
    });
    const failure = await failureOf(openAIProvider(server.url).generate(call, contextOf(), drain));
    expect(failure).toMatchObject({ kind: 'final', provider: { status: 400 } });
    await server.seen[0]?.closed;
  });

  it('reports the status of a refused call if its body never arrives', async () => {
    const server = await serve((response) =>
      response.writeHead(400, { 'content-length': '100' }).flushHeaders(),
    );
    const failure = await failureOf(
      openAIProvider(server.url).generate(call, contextOf({ timeoutMs: 1_000 }), drain),
    );
    expect(failure).toMatchObject({ kind: 'final', provider: { status: 400 } });
  });
});

describe('an API key', () => {
  it.each(['', 'sk-a b', 'sk-a\n', 'schlüssel'])(
    'refuses the API key %j when the provider is created',
    (apiKey) => {
      expect(() => createOpenAIProvider({ name: 'openai', apiKey })).toThrow(AppError);
    },
  );
});
