import { readdir, readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createInputFetcher } from '../../src/outbound/media/input-fetcher.ts';
import { createStaging } from '../../src/outbound/media/staging.ts';
import { createDestinationGuard } from '../../src/outbound/webhooks/destination-guard.ts';
import { createGuardedAgent } from '../../src/outbound/webhooks/guarded-agent.ts';
import type { ResolveName } from '../../src/outbound/webhooks/resolve-name.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const never = new AbortController().signal;
const bytes = Buffer.from('an image');
const tenant = 'acme';

async function serve(respond: RequestListener) {
  let connections = 0;
  const server = createServer(respond).on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, connections: () => connections };
}

async function open(options: { allowPrivate: boolean; resolve?: ResolveName }) {
  const folder = join(await temporaryFolder(), 'incoming');
  const guard = createDestinationGuard({ allowPrivate: options.allowPrivate, requireHttps: false });
  const agent = createGuardedAgent({ guard, resolve: options.resolve });
  onTestFinished(() => agent.destroy());
  const fetcher = createInputFetcher({
    staging: createStaging(folder),
    guard,
    dispatcher: agent,
    userAgent: 'Darkroom/test',
    sleep: async () => {},
  });
  return { fetcher, files: () => readdir(folder).catch(() => []) };
}

/** Fetches from a server and returns the message of the failure. */
async function failure(respond: RequestListener, timeoutMs = 10_000) {
  const { port, connections } = await serve(respond);
  const { fetcher, files } = await open({ allowPrivate: true });
  const error = await fetcher
    .fetch(`http://127.0.0.1:${port}/a.png`, { tenant, signal: AbortSignal.timeout(timeoutMs) })
    .catch((reason) => reason);
  expect(await files()).toEqual([]);
  const isFinal = error.members.retryable === false;
  return { code: error.code, isFinal, message: error.message, tries: connections() };
}

describe('the fetcher of inputs', () => {
  it('writes the bytes of an address to a file', async () => {
    const { port } = await serve((_request, response) => response.end(bytes));
    const { fetcher } = await open({ allowPrivate: true });
    const file = await fetcher.fetch(`http://127.0.0.1:${port}/a.png`, { tenant, signal: never });
    expect(await readFile(file.path)).toEqual(bytes);
  });

  it.each(['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1'])(
    'does not connect to a name that resolves to %s',
    async (address) => {
      const { port, connections } = await serve((_request, response) => response.end(bytes));
      const resolve: ResolveName = async () => [{ address, family: address.includes(':') ? 6 : 4 }];
      const { fetcher } = await open({ allowPrivate: false, resolve });
      await expect(
        fetcher.fetch(`http://images.example:${port}/a.png`, { tenant, signal: never }),
      ).rejects.toMatchObject({
        code: 'input_unavailable',
        members: { retryable: false },
        message: expect.stringContaining('not public'),
      });
      expect(connections()).toBe(0);
    },
  );

  it('does not connect to a private address that a second lookup returns', async () => {
    const { port, connections } = await serve((_request, response) => response.end(bytes));
    let lookups = 0;
    // The first lookup finds no address, so that the first try fails without a connection.
    const resolve: ResolveName = async () => {
      lookups += 1;
      return lookups === 1 ? [] : [{ address: '127.0.0.1', family: 4 }];
    };
    const { fetcher } = await open({ allowPrivate: false, resolve });
    await expect(
      fetcher.fetch(`http://images.example:${port}/a.png`, { tenant, signal: never }),
    ).rejects.toThrow('not public');
    expect({ lookups, connections: connections() }).toEqual({ lookups: 2, connections: 0 });
  });

  it('follows no redirect', async () => {
    const result = await failure((_request, response) =>
      response.writeHead(302, { location: '/b.png' }).end(),
    );
    expect(result).toMatchObject({
      code: 'input_unavailable',
      isFinal: true,
      tries: 1,
      message: expect.stringContaining('302'),
    });
  });

  it('repeats a failure that may pass, at most twice', async () => {
    const result = await failure((_request, response) => response.writeHead(503).end());
    expect(result).toMatchObject({ code: 'input_unavailable', tries: 3 });
  });

  it.each([
    ['a chunked response', {}],
    ['a response of stated length', { 'content-length': '1000' }],
  ])('repeats %s that breaks off', async (_name, headers) => {
    const result = await failure((_request, response) => {
      response.writeHead(200, headers).write(bytes, () => response.socket?.end());
    });
    expect(result).toMatchObject({ code: 'input_unavailable', tries: 3 });
  });

  it('repeats a chunked response whose connection is reset', async () => {
    const result = await failure((_request, response) => {
      response.writeHead(200).write(bytes, () => response.socket?.resetAndDestroy());
    });
    expect(result).toMatchObject({ code: 'input_unavailable', tries: 3 });
  });

  it('accepts a chunked response of many chunks', async () => {
    const chunk = Buffer.alloc(1 << 20, 7);
    const { port } = await serve((_request, response) => {
      for (let sent = 0; sent < 8; sent += 1) response.write(chunk);
      response.end();
    });
    const { fetcher } = await open({ allowPrivate: true });
    const file = await fetcher.fetch(`http://127.0.0.1:${port}/a.png`, { tenant, signal: never });
    expect(file.sizeBytes).toBe(8 << 20);
  });

  it('accepts a response that the end of its connection ends', async () => {
    const server = await serve((request) => {
      request.socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${bytes}`);
    });
    const { fetcher } = await open({ allowPrivate: true });
    const file = await fetcher.fetch(`http://127.0.0.1:${server.port}/a.png`, { tenant, signal: never });
    expect(await readFile(file.path)).toEqual(bytes);
  });

  it('does not repeat a refusal', async () => {
    const result = await failure((_request, response) => response.writeHead(404).end());
    expect(result).toMatchObject({ code: 'input_unavailable', isFinal: true, tries: 1 });
  });

  it('stops a body that is larger than allowed, announced or not', async () => {
    const announced = await failure((_request, response) =>
      response.writeHead(200, { 'content-length': String(51 << 20) }).end(),
    );
    const endless = await failure((_request, response) => {
      const block = Buffer.alloc(1 << 20);
      const more = () => void (response.destroyed || response.write(block, () => setImmediate(more)));
      more();
    });
    for (const result of [announced, endless]) {
      expect(result).toMatchObject({
        code: 'input_unavailable',
        isFinal: true,
        message: expect.stringContaining('larger'),
      });
    }
  });

  it('ends a response that does not arrive in time', async () => {
    const result = await failure((_request, response) => response.writeHead(200).write('a'), 300);
    expect(result).toMatchObject({ code: 'input_unavailable', message: expect.stringContaining('in time') });
  });
});
