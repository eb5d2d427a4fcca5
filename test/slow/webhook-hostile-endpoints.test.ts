import type { ServerResponse } from 'node:http';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { DeliveryView } from '../../src/domain/webhook-view.ts';
import { startService, type TestService } from '../support/service.ts';
import { startEndpointServer, startRawEndpointServer } from '../support/webhook-endpoints.ts';

let service: TestService;
const closers: (() => Promise<void>)[] = [];
beforeAll(async () => {
  service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'true' });
  return async () => {
    await service.close();
    for (const close of closers) await close();
  };
});

const megabyte = Buffer.alloc(1_048_576, 'x');

/** Sends without end, as fast as the client reads. */
function flood(response: ServerResponse): void {
  const more = () => {
    while (!response.destroyed && response.write(megabyte));
  };
  response.on('drain', more);
  more();
}

/** Sends headers that never end, one byte at a time. */
const drip = (write: (text: string) => boolean) => {
  write('HTTP/1.1 200 OK\r\n');
  const timer = setInterval(() => write('x'), 1_000);
  return () => clearInterval(timer);
};

/** Starts endpoints. The keys are the outcomes that the delivery log must show. */
async function startEndpointServers(inner: string): Promise<Record<string, { url: string }>> {
  const responding = async (respond: (response: ServerResponse) => void, tls = false) => {
    const endpointServer = await startEndpointServer(
      (_request, response) => respond(response),
      tls ? { certificate: 'self-signed' } : {},
    );
    closers.push(endpointServer.close);
    return { url: `http${tls ? 's' : ''}://127.0.0.1:${endpointServer.port}/hook` };
  };
  const raw = async (onConnection: Parameters<typeof startRawEndpointServer>[0]) => {
    const endpointServer = await startRawEndpointServer(onConnection);
    closers.push(endpointServer.close);
    return { url: `http://127.0.0.1:${endpointServer.port}/hook` };
  };
  return {
    redirect_refused: await responding((response) => void response.writeHead(301, { location: inner }).end()),
    gone: await responding((response) => void response.writeHead(410).end()),
    http_429: await responding((response) => void response.writeHead(429, { 'retry-after': '3600' }).end()),
    delivered: await responding((response) => flood(response.writeHead(200))),
    timeout: await raw((socket) => {
      socket.once('data', () =>
        socket.once(
          'close',
          drip((text) => socket.write(text)),
        ),
      );
    }),
    tls_error: await responding((response) => void response.end(), true),
    connection_reset: await raw((socket) => socket.once('data', () => socket.resetAndDestroy())),
    protocol_error: await raw((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))),
  };
}

describe('hostile endpoints', () => {
  it('each hostile endpoint ends with its outcome within 15 s, without memory growth and without delaying a good one', async () => {
    const inner = await startEndpointServer();
    const good = await startEndpointServer();
    closers.push(inner.close, good.close);
    const hostile = await startEndpointServers(`http://127.0.0.1:${inner.port}/`);
    const words = new Map<string, string>();
    for (const [word, { url }] of Object.entries({
      ...hostile,
      good: { url: `http://127.0.0.1:${good.port}/` },
    })) {
      const body = { url, events: ['image.succeeded'] };
      words.set((await service.acme.post('/webhooks/endpoints').send(body).expect(201)).body.id, word);
    }
    const before = process.memoryUsage.rss();
    const job = await service.acme.generate({ prompt: 'For all endpoints' });
    await vi.waitFor(() => expect(good.requests).toHaveLength(1), { timeout: 10_000 });

    const log = async (): Promise<DeliveryView[]> =>
      (await service.acme.get(`/webhooks/deliveries?image_id=${job.id}&limit=100`).expect(200)).body.data;
    await vi.waitFor(
      async () => {
        const tried = (await log()).filter(({ attempt_count }) => attempt_count > 0);
        expect(tried).toHaveLength(words.size);
      },
      { timeout: 25_000, interval: 250 },
    );
    const grown = process.memoryUsage.rss() - before;
    for (const { endpoint_id, attempts } of await log()) {
      const word = words.get(endpoint_id ?? '');
      const [first] = attempts;
      expect(first?.outcome, word).toBe(word === 'good' ? 'delivered' : word);
      expect(first?.detail ?? '', word).toMatch(first?.outcome === 'delivered' ? /^$/ : /\w{3}/);
      expect(first?.latency_ms, word).toBeLessThan(16_000);
      expect((first?.response_body ?? '').length, word).toBeLessThanOrEqual(4_096);
    }
    const limited = (await log()).find(({ attempts }) => attempts[0]?.outcome === 'http_429');
    expect(Date.parse(limited?.next_attempt_at ?? '') - Date.now()).toBeGreaterThan(3_500_000);
    expect(inner.connections()).toBe(0);
    expect(grown).toBeLessThan(100 * 1_048_576);
  });
});
