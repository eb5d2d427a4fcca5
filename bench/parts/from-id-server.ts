import type { AddressInfo } from 'node:net';
import { Job, Queue } from 'bullmq';
import Fastify from 'fastify';
import { reportReady } from '../harness/queries.ts';

/** Minimal server that reads a job from the queue of the tutorial: its data, without its state. */
const queue = new Queue('images', { connection: { path: process.env.REDIS_PATH ?? '' } });
const app = Fastify();
app.get<{ Params: { id: string } }>(
  '/jobs/:id',
  async ({ params }) => (await Job.fromId(queue, params.id))?.data,
);
await app.listen({ host: '127.0.0.1', port: 0 });
reportReady((app.server.address() as AddressInfo).port);
