import type { Socket } from 'node:net';
import type { Client } from 'undici';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createConnectionPool } from '../../src/outbound/webhooks/connection-pool.ts';
import { postOnce } from '../../src/outbound/webhooks/post-once.ts';
import { startEndpoint, startSender } from '../support/webhook-sender.ts';

describe('connections of the webhook sender', () => {
  it('uses one connection for twenty consecutive attempts', async () => {
    const endpoint = await startEndpoint((_request, response) => response.end('thank you'));
    const { send } = startSender();
    for (let count = 0; count < 20; count++) await send(endpoint.url, { eventId: `evt_${count}` });
    expect(endpoint.requests).toHaveLength(20);
    expect(endpoint.connections()).toBe(1);
  });

  it('uses no connection beyond its maximum age, so that the name is resolved again', async () => {
    const endpoint = await startEndpoint();
    const { send } = startSender({ connectionMaxAgeMs: 0 });
    for (let count = 0; count < 3; count++) await send(endpoint.url);
    expect(endpoint.connections()).toBe(3);
  });

  it('closes an unused connection at its maximum age, however long the endpoint would hold it', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const endpoint = await startEndpoint((_request, response) =>
      response.setHeader('keep-alive', 'timeout=600').end(),
    );
    const { send } = startSender({ connectionMaxAgeMs: 60_000 });
    await send(endpoint.url);
    await send(endpoint.url);
    expect(endpoint.connections()).toBe(1);
    vi.advanceTimersByTime(60_000);
    await send(endpoint.url);
    expect(endpoint.connections()).toBe(2);
  });

  it('replaces connections that the endpoint closed', async () => {
    const endpoint = await startEndpoint((_request, response) =>
      response.setHeader('connection', 'close').end(),
    );
    const { send } = startSender();
    for (let count = 0; count < 3; count++) expect((await send(endpoint.url)).outcome).toBe('delivered');
    expect(endpoint.connections()).toBe(3);
  });

  it('reuses a connection after a failure response with a body', async () => {
    const endpoint = await startEndpoint((_request, response) =>
      response.writeHead(500).end('x'.repeat(60_000)),
    );
    const { send } = startSender();
    for (let count = 0; count < 5; count++) expect((await send(endpoint.url)).outcome).toBe('http_500');
    expect(endpoint.connections()).toBe(1);
  });

  it('limits the connections to one endpoint and still sends every attempt', async () => {
    const held: (() => void)[] = [];
    let max = 0;
    // Responds only when three attempts are in flight at the same time.
    const endpoint = await startEndpoint((_request, response) => {
      max = Math.max(
        max,
        held.push(() => response.end()),
      );
      if (held.length === 3) for (const response of held.splice(0)) response();
    });
    const { send } = startSender({ connectionsPerDestination: 3 });
    const responses = await Promise.all(
      Array.from({ length: 30 }, (_, index) => send(endpoint.url, { eventId: `evt_${index}` })),
    );
    expect(responses.every(({ outcome }) => outcome === 'delivered')).toBe(true);
    expect(new Set(endpoint.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(30);
    expect(max).toBe(3);
    expect(endpoint.connections()).toBe(3);
  });

  it('sends to other endpoints while one endpoint hangs', async () => {
    const hanging = await startEndpoint(() => undefined);
    const endpoint = await startEndpoint();
    const { send } = startSender({ connectionsPerDestination: 1, timeoutMs: 1_000 });
    const stuck = Promise.all([send(hanging.url), send(hanging.url)]);
    expect((await send(endpoint.url)).outcome).toBe('delivered');
    expect((await stuck).map(({ outcome }) => outcome)).toEqual(['timeout', 'timeout']);
  });

  it('sends to another destination on the same host while one destination hangs', async () => {
    const host = await startEndpoint((request, response) => {
      if (request.url !== '/hanging') response.end();
    });
    const { send } = startSender({ connectionsPerDestination: 1, timeoutMs: 1_000 });
    const at = (path: string) => new URL(path, host.url).href;
    const stuck = Promise.all(
      ['evt_1', 'evt_2'].map((id) => send(at('/hanging'), { eventId: id, destination: 'globex' })),
    );
    expect((await send(at('/well'), { eventId: 'evt_3', destination: 'acme' })).outcome).toBe('delivered');
    expect((await stuck).map(({ outcome }) => outcome)).toEqual(['timeout', 'timeout']);
  });
});

describe('closing the webhook sender', () => {
  it('finishes the running attempt, rejects new ones and leaves no connection', async () => {
    const sockets: Socket[] = [];
    let release = () => {};
    const endpoint = await startEndpoint((request, response) => {
      sockets.push(request.socket);
      if (request.url === '/idle') response.end();
      else release = () => response.end();
    });
    const { send, close } = startSender();
    const running = send(endpoint.url);
    await expect.poll(() => endpoint.requests.length).toBe(1);
    await send(`http://127.0.0.1:${endpoint.port}/idle`);

    let isClosed = false;
    const closed = close().then(() => {
      isClosed = true;
    });
    await expect(send(endpoint.url)).rejects.toThrow('closed');
    expect(isClosed).toBe(false);
    release();

    expect((await running).outcome).toBe('delivered');
    await closed;
    expect(sockets).toHaveLength(2);
    await expect.poll(() => sockets.every(({ destroyed }) => destroyed)).toBe(true);
    await close();
  });
});

describe('the queue for a connection', () => {
  const destination = 'acme';
  const postTo = (url: string, id: string) => ({
    destination,
    url: new URL(url),
    headers: { 'webhook-id': id },
    body: '{}',
  });
  const startPool = () => {
    const pool = createConnectionPool({ connectionsPerDestination: 1, maxAgeMs: 60_000, client: {} });
    onTestFinished(() => pool.close());
    return pool;
  };

  it('removes an attempt from the connection queue at its deadline and never sends it afterwards', async () => {
    const endpoint = await startEndpoint();
    const { origin } = new URL(endpoint.url);
    const pool = startPool();
    const held = await new Promise<Client>((taken) => pool.acquire({ destination, origin }, taken));

    const late = await postOnce(pool, postTo(endpoint.url, 'evt_late'), 50);
    pool.release({ destination, origin }, held, true);
    const next = await postOnce(pool, postTo(endpoint.url, 'evt_next'), 5_000);

    expect(late).toEqual({ kind: 'timed_out', connected: false });
    expect(next).toMatchObject({ kind: 'responded', status: 200 });
    expect(endpoint.requests.map(({ headers }) => headers['webhook-id'])).toEqual(['evt_next']);
  });

  it('serves the connection queue in order, even after a broken connection', async () => {
    const broken = ['evt_1', 'evt_3'];
    const endpoint = await startEndpoint((request, response) => {
      if (broken.includes(String(request.headers['webhook-id']))) response.destroy();
      else response.end();
    });
    const pool = startPool();
    const ids = ['evt_1', 'evt_2', 'evt_3', 'evt_4'];
    const results = await Promise.all(ids.map((id) => postOnce(pool, postTo(endpoint.url, id), 5_000)));
    expect(results.map(({ kind }) => kind)).toEqual(['failed', 'responded', 'failed', 'responded']);
    expect(endpoint.requests.map(({ headers }) => headers['webhook-id'])).toEqual(ids);
    expect(endpoint.connections()).toBe(3);
  });
});
