import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { expect, it, onTestFinished } from 'vitest';

/** Reproduces nodejs/undici#5360, in which an assertion in a socket event ended the process. */
it('survives a peer that closes the connection of an unread body', async () => {
  const bytes = 100_000;
  const server = createServer((_request, response) => {
    response.writeHead(200, { connection: 'close', 'content-length': bytes });
    response.end(Buffer.alloc(bytes));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const faults: unknown[] = [];
  const collect = (error: unknown) => void faults.push(error);
  process.on('uncaughtExceptionMonitor', collect);
  onTestFinished(() => void process.off('uncaughtExceptionMonitor', collect));
  const responses = await Promise.all(Array.from({ length: 4 }, () => request(`http://127.0.0.1:${port}/`)));
  // The peer closes during this pause.
  await delay(800);
  for (const { body } of responses) expect((await body.arrayBuffer()).byteLength).toBe(bytes);
  expect(faults).toEqual([]);
});

it('pins undici to the last version without that assertion', () => {
  const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(dependencies.undici).toBe('7.25.0');
});
