import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { dispatch } from '../harness/questions.ts';

/** The least that answering a request with Fastify can be. */
const app = Fastify();
app.get('/hello', async () => ({ hello: 'world' }));
await app.listen({ host: '127.0.0.1', port: 0 });
dispatch((app.server.address() as AddressInfo).port);
