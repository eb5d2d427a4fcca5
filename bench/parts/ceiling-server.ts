import { createHash, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import { reportReady } from '../harness/queries.ts';

/**
 * Minimal server that accepts a job durably. It consists of Fastify, a body check by Ajv, and one script that writes
 * the record and an index. It has no keys, limits, queue or log.
 */
const script = `
redis.call('SET', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
return 1
`;
const redis = new Redis(process.env.REDIS_PATH ?? '', { enableAutoPipelining: true });
const digest = createHash('sha1').update(script).digest('hex');
await redis.script('LOAD', script);

const app = Fastify();
app.post<{ Body: { prompt: string } }>(
  '/images',
  {
    schema: {
      body: {
        type: 'object',
        required: ['prompt'],
        additionalProperties: false,
        properties: {
          prompt: { type: 'string', minLength: 1, maxLength: 32_000 },
          size: { type: 'string', maxLength: 32 },
          quality: { type: 'string', maxLength: 32 },
        },
      },
    },
  },
  async (request, reply) => {
    const id = randomUUID();
    const nowMs = Date.now();
    const record = JSON.stringify({ id, status: 'queued', createdAt: nowMs, request: request.body });
    await redis.evalsha(digest, 2, `ceiling:job:${id}`, 'ceiling:open', id, record, nowMs);
    reply.code(202);
    return { id, status: 'queued' };
  },
);
await app.listen({ host: '127.0.0.1', port: 0 });
reportReady((app.server.address() as AddressInfo).port);
