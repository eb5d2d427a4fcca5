import { createHash } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { addThumbnail } from '../../src/domain/job-thumbnails.ts';
import type { JobStore } from '../../src/domain/ports.ts';
import { createProducerRedis, type RedisClient, whenRedisReady } from '../../src/lib/redis/redis.ts';
import { createJobStore } from '../../src/outbound/records/job-store.ts';
import { createKeys } from '../../src/outbound/records/keys.ts';
import { createUnarchivedJobs } from '../../src/outbound/records/unarchived-jobs.ts';
import { createdAt, finishedJob, queuedJob } from '../support/jobs.ts';
import { startTestRedis } from '../support/redis.ts';

const jobs = 1_000;
const thumbhash = '1QcSHQRnh493V4dIh4eXh1h4kJUI';
const maxBytesEach = 3_072;
const keys = createKeys('darkroom');

const digest = (text: string) => createHash('sha256').update(text).digest('base64url');
const prompt =
  'A lighthouse in a storm at dusk, oil on canvas, heavy brush strokes, warm light in the lantern room, gulls over the breakers, seen from the cliff';

/** Starts an empty Redis of its own. */
async function emptyRedis(): Promise<RedisClient> {
  const server = await startTestRedis();
  const redis = createProducerRedis(server.path, { onError: () => undefined });
  onTestFinished(async () => {
    redis.disconnect();
    await server.stop();
  });
  expect(await whenRedisReady(redis, 10_000)).toBe(true);
  return redis;
}

async function usedMemory(redis: RedisClient): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
}

/** Returns the average size of the keys of each kind per job, in bytes. */
async function sizesByKind(redis: RedisClient): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {};
  for (const key of await redis.keys('*')) {
    const kind = key.replace(/^[^}]*\}:/, '').split(':')[0] ?? key;
    const bytes = Number(await redis.memory('USAGE', key, 'SAMPLES', 0));
    sizes[kind] = (sizes[kind] ?? 0) + bytes / jobs;
  }
  return Object.fromEntries(Object.entries(sizes).map(([kind, bytes]) => [kind, Math.round(bytes)]));
}

/** Stores a job that has ended, has its thumbnail, and whose ledger is archived. */
async function finishJob(redis: RedisClient, records: JobStore, i: number): Promise<void> {
  const metadata = { customer: `customer-${i % 50}`, generate: `order-${i}` };
  const job = {
    ...queuedJob({ nowMs: createdAt + i * 1_000, request: { prompt, quality: 'low', metadata } }),
    origin: 'https://images.example.com',
  };
  const claim = { keyHash: digest(`key ${i}`), fingerprint: digest(`body ${i}`), ttlMs: 90 * 86_400_000 };
  await records.submit({ job, claim, maxOpenJobs: jobs });
  const finish = (now: ImageJob) => addThumbnail(finishedJob(now), 0, { thumbhash, nowMs: createdAt });
  const ended = await records.update(job, (now) => ({ job: finish(now) }), { known: job });
  if (ended) await createUnarchivedJobs(redis, keys).markArchived(job.tenant, [ended]);
}

describe('memory', () => {
  it(`a finished job takes at most ${maxBytesEach} bytes of Redis with its indexes and idempotency key`, async () => {
    const redis = await emptyRedis();
    const records = createJobStore(redis, keys);
    // The scripts, and the keys that exist once, are no cost of a job.
    await finishJob(redis, records, jobs);
    const before = await usedMemory(redis);
    for (let i = 0; i < jobs; i++) await finishJob(redis, records, i);
    const bytesEach = Math.round(((await usedMemory(redis)) - before) / jobs);
    console.log(`bytes per finished job: ${bytesEach}`, await sizesByKind(redis));
    expect(bytesEach).toBeLessThanOrEqual(maxBytesEach);
    expect(await records.countOpen('acme')).toBe(0);
    expect((await records.list('acme', { limit: 100 })).jobs).toHaveLength(100);
  });
});
