import { once } from 'node:events';
import { readdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openRaw, type RawConnection, type RawResponse, readResponse, sendRaw } from '../support/raw-http.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

let service: TestService;
let port: number;
beforeAll(async () => {
  service = await startService();
  port = Number(new URL(service.url).port);
});
afterAll(() => service.close());

const authorized = `host: 127.0.0.1\r\nauthorization: Bearer ${testKeys.acme}\r\n`;

/** Writes one byte at a time until the connection is closed. */
function drip(connection: RawConnection, byte: string, pauseMs: number): Promise<void> {
  const timer = setInterval(() => connection.socket.write(byte), pauseMs);
  return connection.gone.finally(() => clearInterval(timer));
}

async function dripAfter(start: string, byte: string): Promise<RawResponse | null> {
  const connection = await openRaw(port);
  if (start) connection.socket.write(start);
  await drip(connection, byte, 200);
  return readResponse(connection.received(), { ended: true, isHead: false });
}

function problemOf(response: RawResponse | null): unknown {
  expect(response?.headers).toMatchObject({
    'content-type': expect.stringMatching(/^application\/problem\+json/),
    'x-request-id': expect.stringMatching(/^req_/),
    'x-content-type-options': 'nosniff',
  });
  return JSON.parse(response?.body.toString() ?? '');
}

describe('a client that is too slow', () => {
  // A request must arrive within fifteen seconds. The timeout of this test only ends a hang.
  it('a client that is too slow gets 408 and is disconnected while it still sends', {
    timeout: 60_000,
  }, async () => {
    const post = `POST /images HTTP/1.1\r\n${authorized}content-type: application/json\r\n`;
    const silent = await openRaw(port);
    silent.socket.once('end', () => silent.socket.end());
    const responses = await Promise.all([
      dripAfter('GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ', 'a'),
      dripAfter('GET /li', 'v'),
      dripAfter(`${post}content-length: 200000\r\n\r\n{"prompt":"`, 'a'),
      dripAfter(`${post}transfer-encoding: chunked\r\n\r\n`, '1\r\n \r\n'),
    ]);
    // A client that sends nothing is disconnected without a response.
    await silent.gone;

    for (const response of responses) {
      expect(response?.status).toBe(408);
      expect(response?.headers['retry-after']).toMatch(/^[0-9]+$/);
      expect(problemOf(response)).toMatchObject({ status: 408, code: 'request_timeout', retryable: true });
    }
  });

  it('two hundred slow clients do not delay others', async () => {
    const slow = await Promise.all(Array.from({ length: 200 }, () => openRaw(port)));
    const start = `POST /images HTTP/1.1\r\n${authorized}content-type: application/json\r\ncontent-length: 100000\r\n\r\n`;
    for (const { socket } of slow) socket.write(start);

    const job = await service.acme.generate({ prompt: 'Between two hundred slow ones' });
    const stillOpen = slow.filter(({ socket }) => socket.writable).length;
    for (const { socket } of slow) socket.destroy();

    expect(job.status).toBe('succeeded');
    expect(stillOpen).toBe(200);
  });
});

describe('a client that pipelines many requests', () => {
  const openImages = async () => {
    const files = await readdir('/proc/self/fd');
    const targets = await Promise.all(files.map((file) => readlink(`/proc/self/fd/${file}`).catch(() => '')));
    return targets.filter((target) => target.startsWith(join(service.dataDir, 'images'))).length;
  };

  it.runIf(process.platform === 'linux')(
    'a client that pipelines forty downloads and disconnects leaves no file open',
    async () => {
      const job = await service.acme.generate({ prompt: 'Requested forty times' });
      const folder = join(service.dataDir, 'images', 'acme', job.id);
      const [file = ''] = await readdir(folder);
      await writeFile(join(folder, file), Buffer.alloc(16 << 20));
      const get = `GET /images/${job.id}/content/0 HTTP/1.1\r\n${authorized}\r\n`;
      const connection = await openRaw(port);
      connection.socket.pause();
      connection.socket.write(get.repeat(40));
      await vi.waitFor(async () => expect(await openImages()).toBe(40), { timeout: 10_000 });
      connection.socket.destroy();
      await vi.waitFor(async () => expect(await openImages()).toBe(0), { timeout: 10_000 });
    },
  );

  it('a connection with a hundred pipelined requests is closed', async () => {
    const connection = await openRaw(port);
    connection.socket.write(`GET /images HTTP/1.1\r\n${authorized}\r\n`.repeat(101));
    await once(connection.socket, 'end');
    connection.socket.destroy();
    expect(connection.received().length).toBe(0);
  });
});

describe('a request that is too large', () => {
  const send = (head: string, body: Buffer | string = '') =>
    sendRaw(port, Buffer.concat([Buffer.from(`${head}\r\n`), Buffer.from(body)]), { timeoutMs: 20_000 });
  const responseOf = async (head: string, body?: string) => (await send(head, body)) as RawResponse;

  it('a request with too large headers gets 431', async () => {
    const response = await responseOf(
      `GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\nx-large: ${'a'.repeat(17 * 1024)}\r\n`,
    );

    expect(response.status).toBe(431);
    expect(problemOf(response)).toMatchObject({ code: 'headers_too_large', retryable: false });
    expect(response.headers['x-should-retry']).toBe('false');
  });

  it.each([
    ['with an id that no job has', `/images/${'i'.repeat(600)}`, 414, 'uri_too_long'],
    ['as a whole', `/images?model=${'m'.repeat(17 * 1024)}`, 431, 'headers_too_large'],
  ])('a request with a too long address (%s) gets 414 or 431', async (_, path, status, code) => {
    const response = await responseOf(`GET ${path} HTTP/1.1\r\n${authorized}`);

    expect(response.status).toBe(status);
    expect(problemOf(response)).toMatchObject({ status, code });
  });

  it.each([
    ['that says its length', 'content-length: 1048576', '{"prompt":"'.padEnd(1024 * 1024, 'a')],
    [
      'in chunks',
      'transfer-encoding: chunked',
      `100000\r\n${'{"prompt":"'.padEnd(1024 * 1024, 'a')}\r\n0\r\n\r\n`,
    ],
  ])('a request with a too large body (%s) gets 413', async (_, framing, body) => {
    const head = `POST /v1/images/generations HTTP/1.1\r\n${authorized}content-type: application/json\r\n${framing}\r\n`;
    const response = await responseOf(head, body);

    expect(response.status).toBe(413);
    expect(problemOf(response)).toMatchObject({ code: 'payload_too_large', retryable: false });
  });
});

describe('bytes that are not HTTP', () => {
  it('invalid bytes after a good request get 400 and end the connection', async () => {
    const connection = await openRaw(port);
    connection.socket.once('end', () => connection.socket.end());
    connection.socket.write('GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
    while (readResponse(connection.received(), { ended: false, isHead: false })?.complete !== true) {
      await once(connection.socket, 'data');
    }
    const first = connection.received();
    connection.socket.write('this is no request\r\n\r\n');
    await connection.gone;

    expect(readResponse(first, { ended: false, isHead: false })?.status).toBe(200);
    const rest = connection.received().subarray(first.length);
    const response = readResponse(rest, { ended: true, isHead: false });
    expect(problemOf(response)).toMatchObject({ status: 400, code: 'invalid_request' });
  });

  it('the error for invalid bytes never appears inside an earlier response', async () => {
    const job = await service.acme.submit({ prompt: 'Watched [studio:latency=2000]' });
    const connection = await openRaw(port);
    connection.socket.once('end', () => connection.socket.end());
    connection.socket.write(`GET /images/${job.id}/events HTTP/1.1\r\n${authorized}\r\n`);
    while (!connection.received().includes('event: ')) await once(connection.socket, 'data');
    connection.socket.write('this is no request\r\n\r\n');
    await connection.gone;

    expect(connection.received().toString()).toMatch(/^HTTP\/1\.1 200 /);
    expect(connection.received().toString()).not.toMatch(/.HTTP\/1\.1/s);
    await service.acme.ended(job.id);
  });

  it.each([
    ['TLS', Buffer.from('16030100a5010000a10303', 'hex')],
    ['random bytes', Buffer.from('ffd8ffe000104a46494600010101', 'hex')],
    ['the preface of HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
  ])('%s instead of HTTP gets 400', async (_, bytes) => {
    const response = (await sendRaw(port, bytes, { timeoutMs: 20_000 })) as RawResponse;

    expect(response.status).toBe(400);
    expect(problemOf(response)).toMatchObject({ code: 'invalid_request' });
  });

  it('an HTTP/1.0 request is served', async () => {
    const response = (await sendRaw(port, Buffer.from('GET /livez HTTP/1.0\r\n\r\n'), {
      timeoutMs: 20_000,
    })) as RawResponse;

    expect(response.status).toBe(200);
    expect(JSON.parse(response.body.toString())).toMatchObject({ status: 'ok' });
  });
});
