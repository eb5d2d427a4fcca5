import { Agent, request } from 'node:http';
import Fastify from 'fastify';
import supertest from 'supertest';
import { expect, it, onTestFinished } from 'vitest';
import { maxBodyBytes, maxDataBodyBytes } from '../../src/inbound/http/max-body-size.ts';
import { watchBodies } from '../../src/inbound/http/watch-bodies.ts';

it('a connection that sends many bodies collects no listeners', async () => {
  const app = Fastify();
  const limits = {
    bodyTimeoutMs: 15_000,
    minUpload: { bytesPerSecond: 10_000, overMs: 20_000 },
    uploadTimeoutMs: 60_000,
    maxBytes: 1_000_000,
  };
  watchBodies(app, limits, (socket) => socket.destroy());
  app.post('/', async ({ raw: { socket } }) => ({
    port: socket.remotePort,
    listeners: socket.listenerCount('close'),
  }));
  const url = await app.listen({ port: 0 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(async () => {
    agent.destroy();
    await app.close();
  });

  const send = async () => (await supertest(url).post('/').agent(agent).send({ a: 1 }).expect(200)).body;
  const first = await send();
  for (let i = 0; i < 20; i += 1) expect(await send()).toEqual(first);
});

it('a body with data of images may take longer than others, like a body with files', async () => {
  const app = Fastify({ bodyLimit: maxBodyBytes });
  const refused: string[] = [];
  const limits = {
    bodyTimeoutMs: 1_000,
    minUpload: { bytesPerSecond: 1, overMs: 600_000 },
    uploadTimeoutMs: 600_000,
    maxBytes: 1_000_000,
  };
  const isRefused = new Promise<void>((resolve) => {
    watchBodies(app, limits, (socket) => {
      refused.push(pathOf.get(socket.remotePort ?? 0) ?? '');
      socket.destroy();
      resolve();
    });
  });
  const pathOf = new Map<number, string>();
  app.addHook('onRequest', async ({ url, raw }) => void pathOf.set(raw.socket.remotePort ?? 0, url));
  app.post('/data', { bodyLimit: maxDataBodyBytes }, async () => ({}));
  app.post('/other', async () => ({}));
  const url = await app.listen({ port: 0 });
  onTestFinished(() => app.close());

  const headers = { 'content-length': 100, 'content-type': 'application/json' };
  const sent = ['/data', '/other'].map((path) =>
    request(`${url}${path}`, { method: 'POST', headers, agent: false }).on('error', () => {}),
  );
  for (const each of sent) each.write('{');
  await isRefused;
  for (const each of sent) each.destroy();
  expect(refused).toEqual(['/other']);
});

it('a body with files that arrives fast enough has a maximum time', async () => {
  const app = Fastify();
  let refused = () => {};
  const isRefused = new Promise<void>((resolve) => {
    refused = resolve;
  });
  const limits = {
    bodyTimeoutMs: 600_000,
    minUpload: { bytesPerSecond: 1, overMs: 600_000 },
    uploadTimeoutMs: 1_000,
    maxBytes: 1_000_000,
  };
  watchBodies(app, limits, (socket) => {
    socket.destroy();
    refused();
  });
  const files = { isFileField: () => true, fileFields: 'file', maxFiles: 1, bodyOf: () => ({}) };
  app.addContentTypeParser('*', async (_request: unknown, body: NodeJS.ReadableStream) => void body.resume());
  app.post('/', { config: { files } }, async () => ({}));
  const url = await app.listen({ port: 0 });
  onTestFinished(() => app.close());

  const sent = request(url, { method: 'POST', headers: { 'content-length': 100 } }).on('error', () => {});
  sent.write('a');
  await isRefused;
});
