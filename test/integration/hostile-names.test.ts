import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createImageInspector } from '../../src/outbound/media/image-inspector.ts';
import { createInputFetcher } from '../../src/outbound/media/input-fetcher.ts';
import { createStaging } from '../../src/outbound/media/staging.ts';
import { createFilesystemStorage } from '../../src/outbound/storage/filesystem/filesystem-storage.ts';
import { createDestinationGuard } from '../../src/outbound/webhooks/destination-guard.ts';
import { createGuardedAgent } from '../../src/outbound/webhooks/guarded-agent.ts';
import { createPublicResolver } from '../../src/outbound/webhooks/resolve-name.ts';
import { createFetchInputs } from '../../src/usecases/inputs/fetch-inputs.ts';
import { generation } from '../support/generation.ts';
import { noiseImage } from '../support/images.ts';
import { startNameServer } from '../support/name-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const privateAddress = '127.0.0.1';
/** An address of loopback that the guard of these tests allows, as it allows public addresses. */
const openAddress = '127.0.0.2';

/** Serves a port of an address. Counts its connections. */
async function serve(address: string, port: number, respond: RequestListener) {
  let connections = 0;
  const server = createServer(respond).on('connection', () => {
    connections += 1;
  });
  server.listen(port, address);
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

/** Creates the fetcher of a worker, with its guard and a real name server. */
async function openFetcher(folder: string, nameServer: string) {
  const guard = createDestinationGuard({
    allowPrivate: false,
    requireHttps: false,
    allowedNetworks: [`${openAddress}/32`],
  });
  const agent = createGuardedAgent({ guard, resolve: createPublicResolver([nameServer]) });
  onTestFinished(() => agent.destroy());
  const staging = createStaging(join(folder, 'incoming'));
  return createFetchInputs({
    fetcher: createInputFetcher({
      ...{ staging, guard, dispatcher: agent, userAgent: 'Darkroom/test' },
      sleep: async () => {},
    }),
    inspector: createImageInspector(staging, { maxConcurrent: 1 }),
    storage: createFilesystemStorage({ directory: join(folder, 'images'), signingKey: Buffer.alloc(32, 1) }),
    staging,
  });
}

interface Given {
  /** Addresses of the host name, one for each lookup. The last one repeats. */
  readonly v4: readonly string[];
  readonly v6?: string;
  /** Response of the server on the open address, which knows its own port. */
  readonly respond?: (port: number) => RequestListener;
}

/** Runs a job whose input has a host name. The server on the private address has the same port. */
async function runJob({ v4, v6, respond }: Given) {
  const image = await noiseImage(64, 48);
  const hidden = await serve(privateAddress, 0, (_request, response) => response.end(image));
  const unavailable: RequestListener = (_request, response) => response.writeHead(503).end();
  const open = await serve(openAddress, hidden.port, respond?.(hidden.port) ?? unavailable);
  let lookups = 0;
  const { server } = await startNameServer((_name, family) => {
    if (family === 6) return v6;
    lookups += 1;
    return v4[Math.min(lookups, v4.length) - 1];
  });
  const folder = await temporaryFolder();
  const run = generation({ fetchInputs: await openFetcher(folder, server) });
  const url = `http://images.example:${open.port}/a.png`;
  run.set((job) => ({ ...job, inputs: [{ role: 'image', index: 0, source: { type: 'url', url } }] }));
  await run.run();
  return {
    status: run.job().status,
    error: run.job().errors?.[0],
    paidCalls: run.calls.length,
    lookups,
    toPrivate: hidden.connections(),
    toOpen: open.connections(),
    files: await readdir(join(folder, 'incoming')).catch(() => []),
  };
}

const failed = { status: 'failed', paidCalls: 0, toPrivate: 0, files: [] };
const unavailable = { ...failed, error: { code: 'input_unavailable', billing: 'none' } };
const refused = { ...failed, error: { ...unavailable.error, final: true } };

describe('a job whose input has a host name', () => {
  it('fetches an allowed address, so that the refusals below have another reason', async () => {
    const image = await noiseImage(64, 48);
    const result = await runJob({
      v4: [openAddress],
      respond: () => (_request, response) => response.end(image),
    });
    expect(result).toMatchObject({ status: 'succeeded', paidCalls: 1, lookups: 1, toOpen: 1, toPrivate: 0 });
  });

  it('ends with input_unavailable and no connection if the name has a private address', async () => {
    expect(await runJob({ v4: [privateAddress] })).toMatchObject({ ...refused, lookups: 1, toOpen: 0 });
  });

  it.each(['::1', 'fd00:0000:0000:0000:0000:0000:0000:0001'])(
    'ends with input_unavailable and no connection if one of the addresses is private: %s',
    async (v6) => {
      expect(await runJob({ v4: [openAddress], v6 })).toMatchObject({
        ...refused,
        lookups: 1,
        toOpen: 0,
      });
    },
  );

  it('ends with input_unavailable and no private connection if a later lookup has a private address', async () => {
    const result = await runJob({ v4: [openAddress, privateAddress] });
    expect(result).toMatchObject({ ...refused, lookups: 2, toOpen: 1 });
  });

  it('looks a name up once for each connection, so that no answer comes between check and use', async () => {
    const result = await runJob({ v4: [openAddress, openAddress, openAddress, privateAddress] });
    expect(result).toMatchObject({ ...unavailable, lookups: 3, toOpen: 3 });
  });

  it.each([
    ['an address', (port: number) => `http://${privateAddress}:${port}/a.png`],
    ['a host name', (port: number) => `http://images.example:${port}/b.png`],
    ['another scheme', () => 'file:///etc/passwd'],
  ])('ends with input_unavailable and follows no redirect to %s', async (_, location) => {
    const respond = (port: number): RequestListener => {
      return (_request, response) => response.writeHead(302, { location: location(port) }).end();
    };
    expect(await runJob({ v4: [openAddress, privateAddress], respond })).toMatchObject({
      ...refused,
      lookups: 1,
      toOpen: 1,
    });
  });
});
