import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { reportReady } from '../harness/queries.ts';

/** Minimal Fastify server. */
const app = Fastify();
app.get('/hello', async () => ({ hello: 'world' }));
await app.listen({ host: '127.0.0.1', port: 0 });
reportReady((app.server.address() as AddressInfo).port);
