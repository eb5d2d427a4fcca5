import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { dispatch } from '../harness/questions.ts';

/** Minimal Fastify server. */
const app = Fastify();
app.get('/hello', async () => ({ hello: 'world' }));
await app.listen({ host: '127.0.0.1', port: 0 });
dispatch((app.server.address() as AddressInfo).port);
