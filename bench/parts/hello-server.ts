import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { reportReady } from '../harness/queries.ts';

/** Minimal Fastify server. */
const app = Fastify();
app.get('/hello', async () => ({ hello: 'world' }));
app.post('/images', async (_request, reply) => reply.code(429).send({ code: 'too_many_requests' }));
const texts = new Map<string, string>();
/** Responds with a text of so many bytes. */
app.get<{ Params: { bytes: string } }>('/hello/:bytes', async ({ params: { bytes } }) => {
  const text = texts.get(bytes) ?? 'x'.repeat(Number(bytes));
  texts.set(bytes, text);
  return text;
});
await app.listen({ host: '127.0.0.1', port: 0 });
reportReady((app.server.address() as AddressInfo).port);
