import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ResolveName } from '../../src/outbound/webhooks/resolve-name.ts';
import { compiledProgram } from '../support/service-process.ts';
import { startEndpointServer } from '../support/webhook-endpoints.ts';
import { someSecret, startSender } from '../support/webhook-sender.ts';

const toLoopback: ResolveName = async () => [{ address: '127.0.0.1', family: 4 }];
const send = (url: string) => startSender({ resolve: toLoopback }).send(url);

async function startTls(certificate: 'valid' | 'expired' | 'self-signed') {
  const serverNames: string[] = [];
  const destination = await startEndpointServer(undefined, {
    certificate,
    onServerName: (name) => serverNames.push(name),
  });
  onTestFinished(destination.close);
  return { ...destination, serverNames };
}

/**
 * Runs the same in a process that trusts the test authority, because Node reads NODE_EXTRA_CA_CERTS only at its start.
 */
async function sendTrusting(url: string): Promise<unknown> {
  const authority = fileURLToPath(new URL('../support/certificates/authority.pem', import.meta.url));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [compiledProgram('send-webhook'), url, someSecret],
    { env: { ...process.env, NODE_EXTRA_CA_CERTS: authority } },
  );
  return JSON.parse(stdout);
}

describe('webhooks over TLS', () => {
  it.each([
    ['self-signed', /self-signed/],
    ['expired', /expired/],
    ['valid', /not trusted here/],
  ] as const)(
    'rejects a %s certificate of an unknown authority before sending anything',
    async (certificate, reason) => {
      const endpoint = await startTls(certificate);
      const response = await send(`https://receiver.test:${endpoint.port}/`);
      expect(response).toMatchObject({
        status: null,
        outcome: 'tls_error',
        detail: expect.stringMatching(reason),
      });
      expect(endpoint.requests).toEqual([]);
      expect(endpoint.serverNames).toEqual(['receiver.test']);
    },
  );

  it('reports tls_error if the endpoint speaks plain HTTP', async () => {
    const endpoint = await startEndpointServer();
    onTestFinished(endpoint.close);
    expect((await send(`https://receiver.test:${endpoint.port}/`)).outcome).toBe('tls_error');
  });

  it('accepts a certificate of a known authority for its own name', async () => {
    const endpoint = await startTls('valid');
    expect(await sendTrusting(`https://receiver.test:${endpoint.port}/hook`)).toMatchObject({
      outcome: 'delivered',
    });
    expect(endpoint.serverNames).toEqual(['receiver.test']);
    expect(endpoint.requests[0]?.headers.host).toBe(`receiver.test:${endpoint.port}`);
  });

  it('rejects a certificate of a known authority for another name or after its expiry', async () => {
    const valid = await startTls('valid');
    const expired = await startTls('expired');
    expect(await sendTrusting(`https://other.test:${valid.port}/`)).toMatchObject({
      outcome: 'tls_error',
      detail: expect.stringContaining('another host name'),
    });
    expect(await sendTrusting(`https://receiver.test:${expired.port}/`)).toMatchObject({
      outcome: 'tls_error',
      detail: expect.stringContaining('expired'),
    });
    expect([...valid.requests, ...expired.requests]).toEqual([]);
  });
});
