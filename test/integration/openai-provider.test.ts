import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import {
  type AnswerSink,
  type CallContext,
  type PictureCall,
  ProviderError,
} from '../../src/domain/ports.ts';
import { createOpenAIProvider } from '../../src/outbound/providers/openai/openai-provider.ts';
import type { OpenAIProviderConfig } from '../../src/outbound/providers/openai/provider-config.ts';
import { noisePicture } from '../support/pictures.ts';
import { type Script, type ScriptedServer, startScriptedServer } from '../support/scripted-server.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(script: Script): Promise<ScriptedServer> {
  const server = await startScriptedServer(script);
  closers.push(server.close);
  return server;
}

function connect(baseUrl: string, rest: Partial<OpenAIProviderConfig> = {}) {
  const provider = createOpenAIProvider({ name: 'openai', apiKey: 'sk-test-000', baseUrl, ...rest });
  closers.push(provider.close);
  return provider;
}

const call: PictureCall = {
  model: 'gpt-image-2.6-flare',
  prompt: 'Ein Fuchs 🦊 auf dem „Marktplatz“, 猫',
  parameters: { size: '1024x1024', quality: 'low', output_format: 'png' },
};
const context = (rest: Partial<CallContext> = {}): CallContext => ({
  signal: new AbortController().signal,
  timeoutMs: 20_000,
  clientRequestId: 'img_1.1',
  ...rest,
});

/** A sink that keeps the body, and one that only counts. */
function collector() {
  const parts: Uint8Array[] = [];
  const sink: AnswerSink = async (_head, body) => {
    for await (const part of body) parts.push(part);
  };
  return { sink, bytes: () => Buffer.concat(parts) };
}
const drain: AnswerSink = async (_head, body) => {
  for await (const _ of body) {
    // Only read.
  }
};

async function failureOf(run: Promise<unknown>) {
  const error = await run.then(
    () => new Error('the call succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof ProviderError) return error.failure;
  throw error;
}

const answerWith =
  (status: number, body: string, headers: Record<string, string> = {}): Script =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);

let png: Buffer;
let answer: string;
beforeAll(async () => {
  png = await noisePicture(256, 256);
  answer = JSON.stringify({
    created: 1,
    data: [{ b64_json: png.toString('base64') }],
    usage: { input_tokens: 17, output_tokens: 196, total_tokens: 213 },
  });
});

describe('a call', () => {
  it('sends exactly what was asked for, unchanged, and nothing hidden', async () => {
    const server = await serve(answerWith(200, answer));
    await connect(server.url).generate(call, context({ traceparent: '00-aa-bb-01' }), drain);
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
      'x-client-request-id': 'img_1.1',
      traceparent: '00-aa-bb-01',
      'accept-encoding': 'identity',
      'x-stainless-retry-count': '0',
    });
  });

  it('never streams and never asks for another number of pictures', async () => {
    const server = await serve(answerWith(200, answer));
    const parameters = { stream: true, partial_images: 2, n: 4, prompt: 'other', model: 'other' };
    await connect(server.url).generate({ ...call, parameters }, context(), drain);
    expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual({ model: call.model, prompt: call.prompt, n: 1 });
  });

  it('hands on the body byte for byte, with the request id of the provider', async () => {
    const server = await serve(answerWith(200, answer, { 'x-request-id': 'req_42' }));
    const { sink, bytes } = collector();
    let head: unknown;
    const returned = await connect(server.url).generate(call, context(), async (given, body) => {
      head = given;
      await sink(given, body);
    });
    expect(head).toEqual({ providerRequestId: 'req_42' });
    expect(returned).toEqual({ providerRequestId: 'req_42' });
    expect(bytes().toString()).toBe(answer);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('unpacks a body that comes as %s although it was not asked for', async (encoding, pack) => {
    const server = await serve((response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(pack(answer)),
    );
    const { sink, bytes } = collector();
    await connect(server.url).generate(call, context(), sink);
    expect(server.seen[0]?.headers['accept-encoding']).toBe('identity');
    expect(bytes().toString()).toBe(answer);
  });

  it('is uncertain when a packed body is cut off', async () => {
    const packed = gzipSync(answer);
    const server = await serve((response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed.subarray(0, packed.length / 2)),
    );
    const failure = await failureOf(connect(server.url).generate(call, context(), drain));
    expect(failure).toMatchObject({ kind: 'uncertain', provider: { status: 200 } });
  });

  it('brings an answer that decodes to the very picture', async () => {
    const server = await serve(answerWith(200, answer));
    const provider = connect(server.url, { name: 'studio' });
    const { sink, bytes } = collector();
    await provider.generate(call, context(), sink);
    const decoded = await provider.decode(
      (async function* () {
        yield bytes();
      })(),
    );
    expect(decoded.picture.bytes.equals(png)).toBe(true);
    expect(decoded.usage?.output_tokens).toBe(196);
    expect(provider.name).toBe('studio');
  });

  it('is one of twenty at once, each with its own answer', async () => {
    const server = await serve((response, request) => {
      const { prompt } = JSON.parse(request.body) as { prompt: string };
      response.writeHead(200, { 'x-request-id': prompt }).end(prompt.repeat(50_000));
    });
    const provider = connect(server.url);
    const results = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const { sink, bytes } = collector();
        const head = await provider.generate({ ...call, prompt: `p${i}` }, context(), sink);
        return { head, digest: createHash('sha256').update(bytes()).digest('hex') };
      }),
    );
    results.forEach(({ head, digest }, i) => {
      expect(head).toEqual({ providerRequestId: `p${i}` });
      expect(digest).toBe(createHash('sha256').update(`p${i}`.repeat(50_000)).digest('hex'));
    });
    expect(server.seen).toHaveLength(20);
  });

  it('never runs on a connection that an earlier one used', async () => {
    const server = await serve(answerWith(200, '{}'));
    const provider = connect(server.url);
    for (let i = 0; i < 3; i += 1) await provider.generate(call, context(), drain);
    expect(server.sockets()).toBe(3);
    expect(server.seen[0]?.headers.connection).toBe('close');
  });

  it('leaves nothing open on the signal of its caller', async () => {
    const server = await serve(answerWith(200, answer));
    const caller = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = caller.signal;
    caller.signal.addEventListener = (...given: Parameters<typeof addEventListener>) => {
      listeners += 1;
      addEventListener.apply(caller.signal, given);
    };
    caller.signal.removeEventListener = (...given: Parameters<typeof removeEventListener>) => {
      listeners -= 1;
      removeEventListener.apply(caller.signal, given);
    };
    await connect(server.url).generate(call, context({ signal: caller.signal }), drain);
    expect(listeners).toBe(0);
  });
});

describe('a refused call', () => {
  it.each([
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
    [
      307,
      '',
      { location: 'http://127.0.0.1:1/v1/images/generations' },
      'unusable',
      'provider_unusable_answer',
    ],
    [302, '', { location: '/v1/elsewhere' }, 'unusable', 'provider_unusable_answer'],
    [204, '', {}, 'unusable', 'provider_unusable_answer'],
  ])('%i %s %j is made once and classified', async (status, body, headers, kind, code) => {
    const given = headers as Record<string, string>;
    const server = await serve(answerWith(status, body, { 'x-request-id': 'req_9', ...given }));
    const failure = await failureOf(connect(server.url).generate(call, context(), drain));
    expect(failure).toMatchObject({ kind, code, provider: { status, request_id: 'req_9' } });
    expect(server.seen).toHaveLength(1);
  });

  it('is not made again after 421, for which HTTP allows it', async () => {
    const server = await serve(answerWith(421, '{}'));
    const failure = await failureOf(connect(server.url).generate(call, context(), drain));
    expect(failure.kind).toBe('final');
    expect(server.seen).toHaveLength(1);
  });

  it('passes on how long to wait', async () => {
    const server = await serve(answerWith(429, '{}', { 'retry-after-ms': '1500' }));
    expect(await failureOf(connect(server.url).generate(call, context(), drain))).toMatchObject({
      retryAfterMs: 1500,
    });
  });

  it('keeps its status when its body is endless, and its socket is closed', async () => {
    const server = await serve((response) => {
      response.writeHead(400, { 'content-type': 'text/plain' });
      flood(response);
    });
    const failure = await failureOf(connect(server.url).generate(call, context(), drain));
    expect(failure).toMatchObject({ kind: 'final', provider: { status: 400 } });
    await server.seen[0]?.closed;
  });

  it('keeps its status when its body never comes', async () => {
    const server = await serve((response) =>
      response.writeHead(400, { 'content-length': '100' }).flushHeaders(),
    );
    const failure = await failureOf(connect(server.url).generate(call, context({ timeoutMs: 1_000 }), drain));
    expect(failure).toMatchObject({ kind: 'final', provider: { status: 400 } });
  });
});

describe('a call that nothing was sent for', () => {
  const nothingSent = { kind: 'refused', code: 'provider_unreachable', billing: 'none' };

  it('is known: nobody listens', async () => {
    const server = await startScriptedServer(() => undefined);
    await server.close();
    const failure = await failureOf(connect(server.url).generate(call, context(), drain));
    expect(failure).toMatchObject(nothingSent);
    expect(failure.message).toContain('ECONNREFUSED');
  });

  it('is known: the name does not exist', async () => {
    const failure = await failureOf(
      connect(`http://${'x'.repeat(70)}.invalid/v1`).generate(call, context(), drain),
    );
    expect(failure).toMatchObject(nothingSent);
  });

  it('is known: the other side does not speak TLS', async () => {
    const server = await serve(answerWith(200, answer));
    const address = server.url.replace('http:', 'https:');
    expect(await failureOf(connect(address).generate(call, context(), drain))).toMatchObject(nothingSent);
    expect(server.seen).toHaveLength(0);
  });

  it('is known: the time is over before the TLS handshake is', async () => {
    const silent = await listenTcp(() => undefined);
    const run = connect(`https://127.0.0.1:${silent.port}/v1`).generate(
      call,
      context({ timeoutMs: 200 }),
      drain,
    );
    expect(await failureOf(run)).toMatchObject(nothingSent);
    expect(silent.received()).not.toContain('POST');
  });

  it('is known: the caller had given up before', async () => {
    const server = await serve(answerWith(200, answer));
    const run = connect(server.url).generate(call, context({ signal: AbortSignal.abort() }), drain);
    expect(await failureOf(run)).toMatchObject(nothingSent);
    expect(server.sockets()).toBe(0);
  });
});

describe('a call that breaks', () => {
  const unknown = { kind: 'uncertain', code: 'provider_outcome_unknown', billing: 'possible' };

  it('is uncertain when the connection is reset after the request, and is not made again', async () => {
    let connections = 0;
    const server = await listenTcp((socket) => {
      connections += 1;
      socket.once('data', () => socket.resetAndDestroy());
    });
    const run = connect(`http://127.0.0.1:${server.port}/v1`).generate(call, context(), drain);
    expect(await failureOf(run)).toMatchObject(unknown);
    expect(connections).toBe(1);
  });

  it('is uncertain when the connection is closed without an answer, and is not made again', async () => {
    const server = await serve((response) => response.destroy());
    expect(await failureOf(connect(server.url).generate(call, context(), drain))).toMatchObject(unknown);
    expect(server.seen).toHaveLength(1);
  });

  it('is uncertain when the answer is no HTTP', async () => {
    const server = await listenTcp((socket) => socket.once('data', () => socket.end('SSH-2.0-x\r\n')));
    const run = connect(`http://127.0.0.1:${server.port}/v1`).generate(call, context(), drain);
    expect(await failureOf(run)).toMatchObject(unknown);
  });

  it('ends at its deadline when no answer comes, and the server sees the socket close', async () => {
    const server = await serve(() => undefined);
    const run = connect(server.url).generate(call, context({ timeoutMs: 1_000 }), drain);
    expect(await failureOf(run)).toMatchObject(unknown);
    await server.seen[0]?.closed;
    expect(server.seen).toHaveLength(1);
  });

  it('ends at its deadline when the body hangs at byte 10, and the server sees the socket close', async () => {
    const server = await serve((response) => {
      response.writeHead(200, { 'content-length': String(answer.length), 'x-request-id': 'req_3' });
      response.write(answer.slice(0, 10));
    });
    const run = connect(server.url).generate(call, context({ timeoutMs: 1_000 }), drain);
    expect(await failureOf(run)).toMatchObject({
      ...unknown,
      provider: { status: 200, request_id: 'req_3' },
    });
    await server.seen[0]?.closed;
  });

  it('ends when the caller gives up before the answer, and the server sees the socket close', async () => {
    const server = await serve(() => undefined);
    const caller = new AbortController();
    const run = failureOf(connect(server.url).generate(call, context({ signal: caller.signal }), drain));
    await server.arrived(1);
    caller.abort();
    expect(await run).toMatchObject(unknown);
    await server.seen[0]?.closed;
  });

  it('ends when the caller gives up inside the body, and the server sees the socket close', async () => {
    const server = await serve((response) => {
      response.writeHead(200);
      flood(response);
    });
    const caller = new AbortController();
    const run = connect(server.url).generate(
      call,
      context({ signal: caller.signal }),
      async (_head, body) => {
        let total = 0;
        for await (const part of body) {
          total += part.byteLength;
          if (total > 1_000_000) caller.abort();
        }
      },
    );
    expect(await failureOf(run)).toMatchObject(unknown);
    await server.seen[0]?.closed;
  });

  it('is uncertain when its body is shorter than announced', async () => {
    const server = await serve((response) => {
      response.writeHead(200, { 'content-length': String(answer.length) });
      response.write(answer.slice(0, 5_000), () => response.destroy());
    });
    expect(await failureOf(connect(server.url).generate(call, context(), drain))).toMatchObject(unknown);
  });

  it('is unusable when its body is too large, and the server sees the socket close', async () => {
    const server = await serve((response) => {
      response.writeHead(200);
      flood(response);
    });
    const { sink, bytes } = collector();
    const failure = await failureOf(
      connect(server.url, { maxAnswerBytes: 100_000 }).generate(call, context(), sink),
    );
    expect(failure).toMatchObject({
      kind: 'unusable',
      code: 'provider_unusable_answer',
      billing: 'possible',
    });
    expect(bytes().length).toBeLessThanOrEqual(100_000);
    await server.seen[0]?.closed;
  });

  it('is broken off by closing the provider', async () => {
    const server = await serve(() => undefined);
    const provider = connect(server.url);
    const run = failureOf(provider.generate(call, context(), drain));
    await server.arrived(1);
    await provider.close();
    expect(await run).toMatchObject(unknown);
  });
});

describe('an error of the sink', () => {
  it('comes out as it is, and the server sees the socket close', async () => {
    const server = await serve((response) => {
      response.writeHead(200);
      flood(response);
    });
    const full = new AppError('storage_failed', { detail: 'The disk is full.' });
    const run = connect(server.url).generate(call, context(), async (_head, body) => {
      for await (const _ of body) throw full;
    });
    await expect(run).rejects.toBe(full);
    await server.seen[0]?.closed;
  });

  it('does not hide that the body broke off first', async () => {
    const server = await serve((response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"data":', () => response.destroy());
    });
    const run = connect(server.url).generate(call, context(), async (_head, body) => {
      try {
        for await (const _ of body) {
          // Only read.
        }
      } catch {
        throw new Error('something of its own');
      }
    });
    expect(await failureOf(run)).toMatchObject({ kind: 'uncertain' });
  });

  it('that swallows a broken body does not make the call a success', async () => {
    const server = await serve((response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"data":', () => response.destroy());
    });
    const run = connect(server.url).generate(call, context(), (head, body) =>
      drain(head, body).catch(() => undefined),
    );
    expect(await failureOf(run)).toMatchObject({ kind: 'uncertain' });
  });
});

describe('a key', () => {
  it.each(['', 'sk-a b', 'sk-a\n', 'schlüssel'])('%j is refused when the provider is built', (apiKey) => {
    expect(() => createOpenAIProvider({ name: 'openai', apiKey })).toThrow(AppError);
  });
});

/** Writes without end, as fast as the reader takes it. */
function flood(response: ServerResponse): void {
  const block = Buffer.alloc(64 * 1024, 0x20);
  const more = () => {
    if (response.destroyed || response.socket?.destroyed) return;
    response.write(block, (error) => {
      if (!error) setImmediate(more);
    });
  };
  more();
}

async function listenTcp(onSocket: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const parts: Buffer[] = [];
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (part: Buffer) => parts.push(part));
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    port: (server.address() as AddressInfo).port,
    received: () => Buffer.concat(parts).toString('latin1'),
  };
}
