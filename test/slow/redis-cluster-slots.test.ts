import { expect, it, onTestFinished } from 'vitest';
import {
  createDirectRedis,
  createProducerRedis,
  createWorkerRedis,
  whenRedisReady,
} from '../../src/lib/redis/redis.ts';
import { isRedisOutage } from '../../src/lib/redis/redis-errors.ts';
import { startReplicatedCluster, startSlotMove, startTestCluster } from '../support/redis-cluster.ts';

type Create = typeof createProducerRedis;

function connect(create: Create, url: string) {
  const client = create(url, { cluster: true, onError: () => undefined });
  onTestFinished(() => client.disconnect());
  return client;
}

it('finds the keys that a moving slot still has, next to absent ones, through every kind of connection', async () => {
  const cluster = await startReplicatedCluster(3_000);
  onTestFinished(cluster.stop);
  const clients = [createProducerRedis, createDirectRedis, createWorkerRedis].map((create) =>
    connect(create, cluster.url),
  );
  for (const client of clients) expect(await whenRedisReady(client, 10_000)).toBe(true);
  for (const client of clients) await client.set('{key}:held', 'value');
  await startSlotMove(cluster, '{key}');
  for (const client of clients) {
    // The server redirects the reads of absent keys, and these reads only.
    const reads = [client.get('{key}:held'), client.get('{key}:absent'), client.exists('{key}:held')];
    expect(await Promise.all(reads)).toEqual(['value', null, 1]);
  }
});

it('reports an outage through a producer connection that was opened while a slot had no server', async () => {
  const node = await startTestCluster();
  await node.query(async (redis) => redis.cluster('DELSLOTS', await redis.cluster('KEYSLOT', 'key')));
  const client = connect(createProducerRedis, `redis://${node.host}:${node.port}`);
  expect(await whenRedisReady(client, 10_000)).toBe(true);
  const fault = await client.get('key').catch((error: Error) => error);
  expect(isRedisOutage(fault)).toBe(true);
});

it('states in time that a connection is not ready while a primary does not respond', async () => {
  const cluster = await startReplicatedCluster(30_000);
  onTestFinished(cluster.stop);
  const silent = await cluster.masterOf('{key}');
  const others = cluster.nodes.filter((node) => node !== silent);
  await silent.query((redis) => redis.call('CLIENT', 'PAUSE', 60_000));
  const client = connect(
    createProducerRedis,
    others.map(({ host, port }) => `redis://${host}:${port}`).join(','),
  );
  await expect.poll(() => client.status).toBe('ready');
  expect(await whenRedisReady(client, 500)).toBe(false);
});
