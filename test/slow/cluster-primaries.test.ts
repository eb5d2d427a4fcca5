import { beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { createProducerRedis, type RedisClient, whenRedisReady } from '../../src/lib/redis/redis.ts';
import { hasAppendOnlyFile } from '../../src/outbound/records/append-only-file.ts';
import { inspectStore } from '../../src/outbound/records/inspect-store.ts';
import { readMemory } from '../../src/outbound/records/read-memory.ts';
import { type ReplicatedCluster, startReplicatedCluster } from '../support/redis-cluster.ts';
import type { ClusterNode } from '../support/redis-cluster-node.ts';
import { startService, type TestService } from '../support/service.ts';

let cluster: ReplicatedCluster;
let service: TestService;
let masters: readonly ClusterNode[];
beforeAll(async () => {
  cluster = await startReplicatedCluster(1_000);
  masters = cluster.nodes.slice(0, 3);
  service = await startService({ REDIS_URL: cluster.url, REDIS_CLUSTER: 'true' });
  return async () => {
    await service.close();
    await cluster.stop();
  };
});

const set = (node: ClusterNode, name: string, value: string | number) =>
  node.query((redis) => redis.config('SET', name, value));
const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 15_000, interval: 100 });

async function connect(): Promise<RedisClient> {
  const client = createProducerRedis(cluster.url, { cluster: true, onError: () => undefined });
  onTestFinished(() => client.disconnect());
  expect(await whenRedisReady(client, 10_000)).toBe(true);
  return client;
}

/** Sets the limit of the memory of a server so that the given part of it is used. */
const fillTo = (node: ClusterNode, part: number) =>
  node.query(async (redis) => {
    const used = Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
    await redis.config('SET', 'maxmemory', Math.round(used / part));
  });

it('is not ready if any primary evicts keys, and doctor says so', async () => {
  const client = await connect();
  for (const master of masters) {
    await set(master, 'maxmemory-policy', 'allkeys-lru');
    await until(async () => expect((await fetch(`${service.url}/readyz`)).status).toBe(503));
    await expect(inspectStore(client, 'any')).rejects.toThrow('maxmemory-policy is allkeys-lru');
    await set(master, 'maxmemory-policy', 'noeviction');
    await until(async () => expect((await fetch(`${service.url}/readyz`)).status).toBe(200));
  }
});

it('doctor reports any primary whose memory is full', async () => {
  const client = await connect();
  for (const master of masters) {
    await fillTo(master, 1.5);
    await expect(inspectStore(client, 'any')).rejects.toThrow(/memory is full|OOM/);
    await set(master, 'maxmemory', 0);
  }
});

it('takes no new work if a primary is nearly full, also while another one is so full that it refuses writes', async () => {
  const ofTenant = await cluster.masterOf(`${service.env.REDIS_KEY_PREFIX}:{acme}:jobs`);
  const other = masters.find((master) => master !== ofTenant);
  if (!other) throw new Error('no other primary');
  // Enough content that the ordinary fluctuation of the memory is small beside it.
  const filler = Buffer.alloc(96 * 1024 * 1024);
  await ofTenant.query((redis) => redis.set('{acme}:filler', filler));
  const submit = () => service.acme.post('/images').send({ prompt: 'A fox', quality: 'low' });
  await until(async () => {
    // Set again, because the copy for the replica takes memory until it is sent.
    await fillTo(ofTenant, 0.95);
    expect((await submit()).body.code).toBe('store_full');
  });
  await fillTo(other, 1.5);
  expect(await codesFor(3_000, submit)).toEqual(['store_full']);
});

/** Returns the different codes of the responses within a time. */
async function codesFor(ms: number, send: () => PromiseLike<{ body: { code: string } }>): Promise<string[]> {
  const codes = new Set<string>();
  for (const endMs = Date.now() + ms; Date.now() < endMs; ) codes.add((await send()).body.code);
  return [...codes];
}

it('reads the memory of the primaries that respond, and the append-only file of all', async () => {
  const [lost, ...others] = masters;
  await Promise.all(cluster.nodes.map((node) => set(node, 'cluster-require-full-coverage', 'no')));
  await Promise.all(others.map((master) => set(master, 'appendonly', 'no')));
  // Neither the primary nor its replica is left.
  await Promise.all([lost?.kill9(), cluster.nodes[3]?.kill9()]);
  const client = await connect();
  expect((await readMemory(client)).usedBytes).toBeGreaterThan(0);
  expect(await hasAppendOnlyFile(client)).toBe(false);
});
