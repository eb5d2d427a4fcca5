import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ResolveName } from '../../src/outbound/webhooks/resolve-name.ts';
import { startEndpoint, startRawEndpoint, startSender } from '../support/webhook-sender.ts';

/** Responds to each request with raw text, without waiting for its body. */
const saying = (text: string) => startRawEndpoint((socket) => socket.once('data', () => socket.end(text)));

describe('an endpoint that wastes time', () => {
  it('ends an attempt without a response at the deadline and closes the connection', async () => {
    const closed: boolean[] = [];
    const endpoint = await startRawEndpoint(
      (socket) => void socket.resume().on('close', () => closed.push(true)),
    );
    const response = await startSender({ timeoutMs: 200 }).send(endpoint.url);
    expect(response).toMatchObject({
      status: null,
      outcome: 'timeout',
      detail: expect.stringContaining('200 ms'),
    });
    await expect.poll(() => closed).toEqual([true]);
  });

  it('ends an attempt at the deadline if the headers arrive byte by byte', async () => {
    const endpoint = await startRawEndpoint((socket) => {
      const text = 'HTTP/1.1 200 OK\r\nx-slow: '.padEnd(10_000, 'x');
      let at = 0;
      const timer = setInterval(() => socket.write(text.charAt(at++)), 100);
      socket.on('close', () => clearInterval(timer));
    });
    expect((await startSender({ timeoutMs: 350 }).send(endpoint.url)).outcome).toBe('timeout');
  });

  it('records the status if the body arrives byte by byte, and closes the connection at the deadline', async () => {
    const closed: boolean[] = [];
    const endpoint = await startEndpoint((_request, response) => {
      response.writeHead(200, { 'content-length': 10_000 }).write('x');
      const timer = setInterval(() => response.write('x'), 100);
      response.on('close', () => {
        clearInterval(timer);
        closed.push(true);
      });
    });
    expect(await startSender({ timeoutMs: 350 }).send(endpoint.url)).toMatchObject({
      status: 200,
      outcome: 'delivered',
    });
    await expect.poll(() => closed).toEqual([true]);
  });

  it('ends an attempt at the deadline if interim responses never stop', async () => {
    const endpoint = await startRawEndpoint((socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 20);
      socket.resume().on('close', () => clearInterval(timer));
    });
    expect((await startSender({ timeoutMs: 200 }).send(endpoint.url)).outcome).toBe('timeout');
  });

  it('ends an attempt at the deadline if the TLS handshake never completes', async () => {
    const endpoint = await startRawEndpoint((socket) => void socket.resume());
    const response = await startSender({ timeoutMs: 200 }).send(`https://127.0.0.1:${endpoint.port}/`);
    expect(response.outcome).toBe('timeout');
  });

  it('ends an attempt at the deadline if its name never resolves, and does not send it later', async () => {
    const endpoint = await startEndpoint();
    const waiting: (() => void)[] = [];
    const resolve: ResolveName = () =>
      new Promise((found) => waiting.push(() => found([{ address: '127.0.0.1', family: 4 }])));
    const { send } = startSender({ timeoutMs: 200, resolve });
    const url = `http://receiver.test:${endpoint.port}/`;
    expect((await send(url, { eventId: 'evt_late' })).outcome).toBe('timeout');
    for (const release of waiting.splice(0)) release();
    const second = send(url, { eventId: 'evt_next' });
    await expect.poll(() => waiting.length).toBe(1);
    for (const release of waiting) release();
    expect((await second).outcome).toBe('delivered');
    expect(endpoint.requests.map(({ headers }) => headers['webhook-id'])).toEqual(['evt_next']);
  });
});

describe('an endpoint that sends too much', () => {
  it('stops reading a body of 100 MB at 64 kB and closes the socket', async () => {
    const chunk = Buffer.alloc(65_536, 'x');
    const total = 100 * 1024 * 1024;
    let socket: Socket | undefined;
    const endpoint = await startEndpoint((_request, response) => {
      socket = response.socket ?? undefined;
      response.writeHead(200, { 'content-length': total });
      const pump = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', pump);
      pump();
    });
    const before = process.memoryUsage().arrayBuffers;
    expect(await startSender().send(endpoint.url)).toMatchObject({ status: 200, outcome: 'delivered' });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
    await expect.poll(() => socket?.destroyed).toBe(true);
    // The endpoint can send more than the reader accepts, because the kernel buffers it.
    expect(socket?.bytesWritten).toBeLessThan(total / 8);
  });

  it('reuses the connection after a body of exactly the limit, and closes it after one byte more', async () => {
    let sizeBytes = 1_000;
    const endpoint = await startEndpoint((_request, response) => response.end('x'.repeat(sizeBytes)));
    const { send } = startSender({ maxResponseBytes: 1_000 });
    await send(endpoint.url);
    await send(endpoint.url);
    expect(endpoint.connections()).toBe(1);
    sizeBytes = 1_001;
    expect((await send(endpoint.url)).outcome).toBe('delivered');
    await send(endpoint.url);
    expect(endpoint.connections()).toBe(2);
  });

  it('reports endless headers as a protocol error', async () => {
    const endpoint = await saying(`HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(100_000)}\r\n\r\n`);
    expect((await startSender().send(endpoint.url)).outcome).toBe('protocol_error');
  });
});

describe('an endpoint that does not speak HTTP/1.1', () => {
  it.each([
    ['garbage', '\u0000\u0001\u0002 what?\r\n\r\n'],
    ['HTTP/0.9', '<html>hello</html>'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['a status that is no number', 'HTTP/1.1 abc OK\r\n\r\n'],
    ['a status of five digits', 'HTTP/1.1 20000 OK\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a bare line feed in a header', 'HTTP/1.1 200 OK\r\nx: a\u0000b\r\n\r\n'],
    [
      'an unrequested upgrade',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
    ],
    ['100 and nothing else', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ])('reports %s as a protocol error', async (_what, text) => {
    const endpoint = await saying(text);
    expect(await startSender().send(endpoint.url)).toMatchObject({
      status: null,
      outcome: 'protocol_error',
    });
  });

  it('assigns an unsolicited second response to no other attempt', async () => {
    const endpoint = await startRawEndpoint((socket) => {
      socket.on('data', () =>
        socket.write(
          'HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
        ),
      );
    });
    const { send } = startSender();
    expect((await send(endpoint.url)).outcome).toBe('http_500');
    expect((await send(endpoint.url)).outcome).toBe('http_500');
    expect(endpoint.connections()).toBe(2);
  });

  it('records the status even if the body breaks off or is malformed', async () => {
    const { send } = startSender();
    for (const rest of ['content-length: 100\r\n\r\nshort', 'transfer-encoding: chunked\r\n\r\nzz\r\n']) {
      const endpoint = await saying(`HTTP/1.1 202 Accepted\r\n${rest}`);
      expect(await send(endpoint.url)).toMatchObject({ status: 202, outcome: 'delivered' });
    }
  });
});

describe('an endpoint that breaks off', () => {
  it.each([
    ['resets the connection at once', (socket: Socket) => void socket.resetAndDestroy()],
    [
      'resets it after the request',
      (socket: Socket) => void socket.once('data', () => socket.resetAndDestroy()),
    ],
    ['closes it after the request', (socket: Socket) => void socket.once('data', () => socket.end())],
    [
      'closes it within the headers',
      (socket: Socket) => void socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nx:')),
    ],
  ])('reports connection_reset or protocol_error if the endpoint %s', async (what, onConnection) => {
    const endpoint = await startRawEndpoint(onConnection);
    const response = await startSender().send(endpoint.url);
    const expected = what.includes('headers') ? /^(connection_reset|protocol_error)$/ : /^connection_reset$/;
    expect(response).toMatchObject({ status: null, outcome: expect.stringMatching(expected) });
  });

  it('reports connection_refused for each of many concurrent attempts if the port is closed', async () => {
    const endpoint = await startEndpoint();
    await endpoint.close();
    const { send } = startSender({ connectionsPerDestination: 2 });
    const responses = await Promise.all(Array.from({ length: 10 }, () => send(endpoint.url)));
    expect(responses.map(({ outcome }) => outcome)).toEqual(Array(10).fill('connection_refused'));
  });

  it('reports dns_error if the name does not resolve', async () => {
    const fails =
      (code: string): ResolveName =>
      async () => {
        throw Object.assign(new Error(code), { code });
      };
    expect((await startSender({ resolve: fails('ENOTFOUND') }).send('http://receiver.test/')).outcome).toBe(
      'dns_error',
    );
    expect((await startSender({ resolve: fails('EAI_AGAIN') }).send('http://receiver.test/')).outcome).toBe(
      'dns_error',
    );
    expect((await startSender({ resolve: async () => [] }).send('http://receiver.test/')).outcome).toBe(
      'dns_error',
    );
  });
});
