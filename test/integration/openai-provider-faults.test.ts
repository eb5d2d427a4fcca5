import { beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import {
  collector,
  contextOf,
  drain,
  failureOf,
  imageCall,
  imageResponse,
  openAIProvider,
} from '../support/provider-calls.ts';
import { flood, respondWith, serve, startScriptedServer } from '../support/scripted-server.ts';
import { listenTcp } from '../support/tcp-server.ts';

/**
 * Tests calls to OpenAI that end without a response. Each call is made once and reports whether it may have been
 * charged.
 */

const call = imageCall('a fox');
let reply: string;
beforeAll(async () => {
  ({ text: reply } = await imageResponse());
});

describe('a call that was never sent', () => {
  const nothingSent = { kind: 'refused', code: 'provider_unreachable', billing: 'none' };

  it('refuses a call without a charge if no server listens', async () => {
    const server = await startScriptedServer(() => undefined);
    await server.close();
    const failure = await failureOf(openAIProvider(server.url).generate(call, contextOf(), drain));
    expect(failure).toMatchObject(nothingSent);
    expect(failure.message).toContain('ECONNREFUSED');
  });

  it('refuses a call without a charge if the host name does not exist', async () => {
    const failure = await failureOf(
      openAIProvider(`http://${'x'.repeat(70)}.invalid/v1`).generate(call, contextOf(), drain),
    );
    expect(failure).toMatchObject(nothingSent);
  });

  it('refuses a call without a charge if the server does not speak TLS', async () => {
    const server = await serve(respondWith(200, reply));
    const address = server.url.replace('http:', 'https:');
    expect(await failureOf(openAIProvider(address).generate(call, contextOf(), drain))).toMatchObject(
      nothingSent,
    );
    expect(server.seen).toHaveLength(0);
  });

  it('refuses a call without a charge if its deadline passes before the TLS handshake ends', async () => {
    const silent = await listenTcp(() => undefined);
    const run = openAIProvider(`https://127.0.0.1:${silent.port}/v1`).generate(
      call,
      contextOf({ timeoutMs: 200 }),
      drain,
    );
    expect(await failureOf(run)).toMatchObject(nothingSent);
    expect(silent.received()).not.toContain('POST');
  });

  it('refuses a call without a charge if the caller aborted before the call', async () => {
    const server = await serve(respondWith(200, reply));
    const run = openAIProvider(server.url).generate(call, contextOf({ signal: AbortSignal.abort() }), drain);
    expect(await failureOf(run)).toMatchObject(nothingSent);
    expect(server.sockets()).toBe(0);
  });
});

describe('a call that breaks', () => {
  const unknown = { kind: 'uncertain', code: 'provider_outcome_unknown', billing: 'possible' };

  it('marks a call as uncertain if the connection is reset after the request, and does not repeat it', async () => {
    let connections = 0;
    const server = await listenTcp((socket) => {
      connections += 1;
      socket.once('data', () => socket.resetAndDestroy());
    });
    const run = openAIProvider(`http://127.0.0.1:${server.port}/v1`).generate(call, contextOf(), drain);
    expect(await failureOf(run)).toMatchObject(unknown);
    expect(connections).toBe(1);
  });

  it('marks a call as uncertain if the connection is closed without a response, and does not repeat it', async () => {
    const server = await serve((response) => response.destroy());
    expect(await failureOf(openAIProvider(server.url).generate(call, contextOf(), drain))).toMatchObject(
      unknown,
    );
    expect(server.seen).toHaveLength(1);
  });

  it('marks a call as uncertain if the response is not HTTP', async () => {
    const server = await listenTcp((socket) => socket.once('data', () => socket.end('SSH-2.0-x\r\n')));
    const run = openAIProvider(`http://127.0.0.1:${server.port}/v1`).generate(call, contextOf(), drain);
    expect(await failureOf(run)).toMatchObject(unknown);
  });

  it('ends a call at its deadline if no response comes, and the server sees the socket close', async () => {
    const server = await serve(() => undefined);
    const run = openAIProvider(server.url).generate(call, contextOf({ timeoutMs: 1_000 }), drain);
    expect(await failureOf(run)).toMatchObject(unknown);
    await server.seen[0]?.closed;
    expect(server.seen).toHaveLength(1);
  });

  it('ends a call at its deadline if the body hangs at byte 10, and the server sees the socket close', async () => {
    const server = await serve((response) => {
      response.writeHead(200, { 'content-length': String(reply.length), 'x-request-id': 'req_3' });
      response.write(reply.slice(0, 10));
    });
    const run = openAIProvider(server.url).generate(call, contextOf({ timeoutMs: 1_000 }), drain);
    expect(await failureOf(run)).toMatchObject({
      ...unknown,
      provider: { status: 200, request_id: 'req_3' },
    });
    await server.seen[0]?.closed;
  });

  it('ends a call when the caller aborts before the response, and the server sees the socket close', async () => {
    const server = await serve(() => undefined);
    const caller = new AbortController();
    const run = failureOf(
      openAIProvider(server.url).generate(call, contextOf({ signal: caller.signal }), drain),
    );
    await server.arrived(1);
    caller.abort();
    expect(await run).toMatchObject(unknown);
    await server.seen[0]?.closed;
  });

  it('ends a call when the caller aborts inside the body, and the server sees the socket close', async () => {
    const server = await serve((response) => {
      response.writeHead(200);
      flood(response);
    });
    const caller = new AbortController();
    const run = openAIProvider(server.url).generate(
      call,
      contextOf({ signal: caller.signal }),
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

  it('marks a call as uncertain if its body is shorter than announced', async () => {
    const server = await serve((response) => {
      response.writeHead(200, { 'content-length': String(reply.length) });
      response.write(reply.slice(0, 5_000), () => response.destroy());
    });
    expect(await failureOf(openAIProvider(server.url).generate(call, contextOf(), drain))).toMatchObject(
      unknown,
    );
  });

  it('marks a call as unusable if its body is too large, and the server sees the socket close', async () => {
    const server = await serve((response) => {
      response.writeHead(200);
      flood(response);
    });
    const { sink, bytes } = collector();
    const failure = await failureOf(
      openAIProvider(server.url, { maxResponseBytes: 100_000 }).generate(call, contextOf(), sink),
    );
    expect(failure).toMatchObject({
      kind: 'unusable',
      code: 'provider_unusable_answer',
      billing: 'possible',
    });
    expect(bytes().length).toBeLessThanOrEqual(100_000);
    await server.seen[0]?.closed;
  });

  it('aborts a call when the provider is closed', async () => {
    const server = await serve(() => undefined);
    const provider = openAIProvider(server.url);
    const run = failureOf(provider.generate(call, contextOf(), drain));
    await server.arrived(1);
    await provider.close();
    expect(await run).toMatchObject(unknown);
  });
});

describe('an error of the sink', () => {
  it('rethrows an error of the sink unchanged, and the server sees the socket close', async () => {
    const server = await serve((response) => {
      response.writeHead(200);
      flood(response);
    });
    const full = new AppError('storage_failed', { detail: 'The disk is full.' });
    const run = openAIProvider(server.url).generate(call, contextOf(), async (_head, body) => {
      for await (const _ of body) throw full;
    });
    await expect(run).rejects.toBe(full);
    await server.seen[0]?.closed;
  });

  it('marks a call as uncertain if the body breaks off, even if the sink then throws an error of its own', async () => {
    const server = await serve((response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"data":', () => response.destroy());
    });
    const run = openAIProvider(server.url).generate(call, contextOf(), async (_head, body) => {
      try {
        for await (const _ of body) {
          // The loop only reads the body.
        }
      } catch {
        throw new Error('something of its own');
      }
    });
    expect(await failureOf(run)).toMatchObject({ kind: 'uncertain' });
  });

  it('marks a call as uncertain if the body breaks off, even if the sink ignores it', async () => {
    const server = await serve((response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"data":', () => response.destroy());
    });
    const run = openAIProvider(server.url).generate(call, contextOf(), (head, body) =>
      drain(head, body).catch(() => undefined),
    );
    expect(await failureOf(run)).toMatchObject({ kind: 'uncertain' });
  });
});
