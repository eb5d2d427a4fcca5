import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { compiledProgram, endOf, systemEnvironment } from '../support/service-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// Every check is a separate process.
vi.setConfig({ testTimeout: 60_000 });

async function codeOf(env: Record<string, string>): Promise<number | null> {
  const child = spawn(process.execPath, [compiledProgram('health-check')], {
    cwd: await temporaryFolder(),
    env: { ...systemEnvironment(), ...env },
    stdio: 'ignore',
  });
  return (await endOf(child)).code;
}

/** Starts a server that responds to every request with one status. Returns its port. */
async function listenOn(host: string, status: number): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end()).listen(0, host);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return String((server.address() as AddressInfo).port);
}

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.address === '::1');

const listeners: [string, string][] = [
  ['0.0.0.0', '127.0.0.1'],
  ['127.0.0.1', '127.0.0.1'],
  ['::1', '::1'],
  ['::', '::'],
];

describe('the health check of the container', () => {
  it.each(listeners.filter(([HOST]) => hasIpv6 || !HOST.includes(':')))(
    'the health check exits with 0 for a service that listens on %s',
    async (HOST, host) => {
      expect(await codeOf({ HOST, PORT: await listenOn(host, 200) })).toBe(0);
    },
  );

  it('the health check exits with 1 if no service listens or the status is 503', async () => {
    expect(await codeOf({ HOST: '127.0.0.1', PORT: '1' })).toBe(1);
    expect(await codeOf({ HOST: '127.0.0.1', PORT: await listenOn('127.0.0.1', 503) })).toBe(1);
  });
});
