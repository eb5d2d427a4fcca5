import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type AddressGuard, createDestinationGuard } from '../../src/outbound/webhooks/destination-guard.ts';
import type { ResolveName } from '../../src/outbound/webhooks/resolve-name.ts';
import {
  loopbackUrls,
  malformedUrls,
  reservedAddresses,
  urlOfAddress,
} from '../support/hostile-destinations.ts';
import { type Destination, startEndpointServer } from '../support/webhook-endpoints.ts';
import { startSender } from '../support/webhook-sender.ts';

const strict = createDestinationGuard({ allowPrivate: false, requireHttps: false });
const development = createDestinationGuard({ allowPrivate: true, requireHttps: false });
/** Skips the check of the URL, so that only the check at the connection remains. */
const blind: AddressGuard = { ...strict, checkUrl: (url) => new URL(url) };

let bait: Destination;

beforeAll(async () => {
  bait = await startEndpointServer(undefined, { host: '::' });
});
afterAll(() => bait.close());
afterEach(() => void vi.unstubAllEnvs());

/** Creates a sender with its own guard. @returns its function that sends a delivery. */
const sendWith = (guard: AddressGuard, resolve?: ResolveName) =>
  startSender({ guard, ...(resolve && { resolve }) }).send;

const responding =
  (...addresses: string[]): ResolveName =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

describe('a listener on every address of this machine', () => {
  it('reaches every loopback spelling if private addresses are allowed, so that the other tests can fail', async () => {
    const reached: string[] = [];
    for (const url of loopbackUrls(bait.port)) {
      const before = bait.connections();
      // Each spelling uses its own sender, because a reused connection would hide the second spelling of a host.
      const response = await sendWith(development)(url);
      if (response.outcome === 'delivered' && bait.connections() === before + 1) reached.push(url);
    }
    expect(reached).toEqual(loopbackUrls(bait.port));
  });

  it('opens no connection to any hostile destination', async () => {
    const send = sendWith(strict);
    const before = bait.connections();
    const reserved = reservedAddresses.map((address) => urlOfAddress(address, bait.port));
    for (const url of [...loopbackUrls(bait.port), ...reserved, ...malformedUrls]) {
      const response = await send(url);
      expect(response, url).toMatchObject({ status: null, outcome: 'address_forbidden' });
    }
    expect(bait.connections()).toBe(before);
  });

  it('opens no connection to a hostile destination even if the URL was not checked before', async () => {
    const send = sendWith(blind);
    const before = bait.connections();
    const reserved = reservedAddresses.map((address) => urlOfAddress(address, bait.port));
    for (const url of [...loopbackUrls(bait.port), ...reserved]) {
      const response = await send(url);
      expect(response, url).toMatchObject({ status: null, outcome: 'address_forbidden' });
    }
    expect(bait.connections()).toBe(before);
  });

  it.each([
    ['a private address', ['10.0.0.1']],
    ['loopback', ['127.0.0.1']],
    ['loopback of IPv6', ['::1']],
    ['a metadata service', ['169.254.169.254']],
    ['a mapped loopback address', ['::ffff:127.0.0.1']],
    ['a compatible loopback address', ['::7f00:1']],
    ['a translated loopback address', ['64:ff9b::7f00:1']],
    ['a public address and loopback', ['93.184.216.34', '127.0.0.1']],
    ['loopback and a public address', ['127.0.0.1', '93.184.216.34']],
    ['a public IPv4 and a private IPv6 address', ['93.184.216.34', 'fd00::1']],
    ['something that is no address', ['localhost']],
  ])('opens no connection through a name that resolves to %s', async (_what, addresses) => {
    const send = sendWith(strict, responding(...addresses));
    const before = bait.connections();
    const response = await send(`http://receiver.example:${bait.port}/hook`);
    expect(response.outcome).toBe('address_forbidden');
    expect(response.detail).toContain('receiver.example');
    for (const address of addresses) expect(response.detail).not.toContain(address);
    expect(bait.connections()).toBe(before);
  });

  it('ignores the proxy variables of the environment', async () => {
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY']) {
      vi.stubEnv(name, `http://127.0.0.1:${bait.port}`);
    }
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    const endpoint = await startEndpointServer();
    onTestFinished(endpoint.close);
    const before = bait.connections();
    const response = await sendWith(development)(`http://127.0.0.1:${endpoint.port}/hook`);
    expect(response.outcome).toBe('delivered');
    expect(endpoint.requests).toHaveLength(1);
    expect(bait.connections()).toBe(before);
  });
});

describe('a name whose addresses change', () => {
  /** Allows only 127.0.0.2, which represents a public address. */
  const guard: AddressGuard = { ...blind, allowsAddress: (ip) => ip === '127.0.0.2' };

  it('connects to the address that was checked, and resolves the name once', async () => {
    const trusted = await startEndpointServer(undefined, { host: '127.0.0.2' });
    const inner = await startEndpointServer(undefined, { host: '127.0.0.1', port: trusted.port });
    onTestFinished(trusted.close);
    onTestFinished(inner.close);
    const responses = ['127.0.0.2', '127.0.0.1'];
    let asked = 0;
    const send = sendWith(guard, async () => [{ address: responses[asked++] ?? '127.0.0.1', family: 4 }]);

    const response = await send(`http://receiver.example:${trusted.port}/hook`);

    expect(response.outcome).toBe('delivered');
    expect(asked).toBe(1);
    expect(trusted.requests[0]?.headers.host).toBe(`receiver.example:${trusted.port}`);
    expect(inner.connections()).toBe(0);
  });

  it('rejects the next connection once a name resolves to a private address', async () => {
    const trusted = await startEndpointServer(
      (_request, response) => response.setHeader('connection', 'close').end(),
      {
        host: '127.0.0.2',
      },
    );
    const inner = await startEndpointServer(undefined, { host: '127.0.0.1', port: trusted.port });
    onTestFinished(trusted.close);
    onTestFinished(inner.close);
    const responses = ['127.0.0.2', '127.0.0.1'];
    const send = sendWith(guard, async () => [{ address: responses.shift() ?? '', family: 4 }]);
    const url = `http://receiver.example:${trusted.port}/hook`;

    expect((await send(url)).outcome).toBe('delivered');
    expect((await send(url)).outcome).toBe('address_forbidden');
    expect(inner.connections()).toBe(0);
  });

  it('sends nothing if the remote address of the connection turns out to be forbidden', async () => {
    const endpoint = await startEndpointServer();
    onTestFinished(endpoint.close);
    const verdicts = [true, false];
    const changing: AddressGuard = { ...blind, allowsAddress: () => verdicts.shift() ?? false };
    const response = await sendWith(changing)(`http://127.0.0.1:${endpoint.port}/hook`);
    expect(response.outcome).toBe('address_forbidden');
    expect(verdicts).toEqual([]);
    expect(endpoint.requests).toEqual([]);
  });

  it('tries the other allowed addresses of a name if the first does not respond', async () => {
    const endpoint = await startEndpointServer(undefined, { host: '127.0.0.2' });
    onTestFinished(endpoint.close);
    const both: AddressGuard = { ...blind, allowsAddress: (ip) => ip.startsWith('127.0.0.') };
    const send = sendWith(both, responding('127.0.0.3', '127.0.0.2'));
    expect((await send(`http://receiver.example:${endpoint.port}/hook`)).outcome).toBe('delivered');
  });
});
