import { getEventListeners, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyReply } from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { untilCallerLeaves } from '../../src/inbound/http/draining.ts';
import { openRaw } from '../support/raw-http.ts';

const request = (path: string) => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`;

/** Starts a server that holds its responses until the test sends them. */
async function startServer() {
  const draining = new AbortController();
  const held = new Map<string, FastifyReply>();
  const app = Fastify();
  app.get('/*', (incoming, reply) => void held.set(incoming.url, reply));
  await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => app.close());
  const connection = await openRaw((app.server.address() as AddressInfo).port);
  onTestFinished(() => void connection.socket.destroy());
  return {
    draining,
    /** Sends requests over the single connection. Resolves with the held replies to them. */
    async send(...paths: string[]): Promise<FastifyReply[]> {
      connection.socket.write(paths.map(request).join(''));
      while (!paths.every((path) => held.has(path))) await new Promise(setImmediate);
      return paths.flatMap((path) => held.get(path) ?? []);
    },
    /** Closes the connection. Resolves when the server has noticed. */
    async hangUp([reply]: FastifyReply[]) {
      const known = reply ? once(reply.request.raw.socket, 'close') : undefined;
      connection.socket.destroy();
      await known;
    },
    watch: (reply: FastifyReply) => untilCallerLeaves(draining.signal, reply),
    listeners: () => getEventListeners(draining.signal, 'abort').length,
  };
}

it('aborts the wait of a caller that disconnected earlier at once, and leaves no listener behind', async () => {
  const { send, hangUp, watch, listeners } = await startServer();
  const replies = await send('/first', '/behind-it');
  await hangUp(replies);

  expect(replies.map((reply) => watch(reply).aborted)).toEqual([true, true]);
  expect(listeners()).toBe(0);
});

it('aborts the wait when the caller disconnects, even if an earlier response of the connection is unfinished', async () => {
  const { send, hangUp, watch, listeners } = await startServer();
  const replies = await send('/first', '/behind-it');
  const signals = replies.map(watch);
  expect(signals.map((signal) => signal.aborted)).toEqual([false, false]);
  await hangUp(replies);

  expect(signals.map((signal) => signal.aborted)).toEqual([true, true]);
  expect(listeners()).toBe(0);
});

it('aborts the wait after its response was sent, but not the wait of a later request on the same connection', async () => {
  const { send, watch, listeners } = await startServer();
  const [first] = (await send('/first')) as [FastifyReply];
  const finished = watch(first);
  first.send('here');
  const [second] = (await send('/second')) as [FastifyReply];
  const waiting = watch(second);

  expect([finished.aborted, waiting.aborted]).toEqual([true, false]);
  expect(listeners()).toBe(1);
});

it('ends every wait when the process starts to drain, and starts no new one', async () => {
  const { send, watch, draining, listeners } = await startServer();
  const [first, second] = (await send('/first', '/second')) as [FastifyReply, FastifyReply];
  const waiting = watch(first);
  draining.abort();

  expect([waiting.aborted, watch(second).aborted]).toEqual([true, true]);
  expect(listeners()).toBe(0);
});
