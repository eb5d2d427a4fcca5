import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RedisClient, RedisClientOptions } from '../../src/lib/redis/redis.ts';
import {
  createProducerRedis,
  createSubscriberRedis,
  createWorkerRedis,
  whenRedisReady,
} from '../../src/lib/redis/redis.ts';
import type { TestRedis } from '../support/redis.ts';
import { queryRedis, startTestRedis } from '../support/redis.ts';
import { startReplicatedCluster, startTestCluster } from '../support/redis-cluster.ts';

let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis();
});

afterAll(async () => {
  await redis.stop();
});

type Create = (target: string, options: RedisClientOptions) => RedisClient;

function connect(
  create: Create,
  target = redis.path,
  options: Partial<RedisClientOptions> = {},
): RedisClient {
  const client = create(target, { onError: () => undefined, ...options });
  onTestFinished(() => client.disconnect());
  return client;
}

const withRetry = { timeout: 15_000 };

describe('a producer connection', () => {
  it('rejects commands of a producer while Redis is down, instead of holding them, and recovers without help', async () => {
    const client = connect(createProducerRedis);
    expect(await whenRedisReady(client, 10_000)).toBe(true);
    await client.set('key', 'value');
    await redis.kill9();
    // Held commands would block the test, because Redis restarts only after they have rejected.
    await expect(Promise.allSettled([client.get('key'), client.set('key', 'other')])).resolves.toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
    ]);
    await redis.restart();
    expect(await whenRedisReady(client, 10_000)).toBe(true);
    expect(await client.get('key')).toBe('value');
  });

  it('reports errors and rejects commands if it is created while Redis is down, and works once Redis is up', async () => {
    await redis.kill9();
    const errors: Error[] = [];
    const client = connect(createProducerRedis, redis.path, { onError: (error) => errors.push(error) });
    await expect(client.get('key')).rejects.toThrow();
    expect(await whenRedisReady(client, 50)).toBe(false);
    await expect.poll(() => errors.length, withRetry).toBeGreaterThan(1);
    await redis.restart();
    expect(await whenRedisReady(client, 10_000)).toBe(true);
    expect(await client.ping()).toBe('PONG');
  });

  it('rejects a command that gets no reply, and never sends it twice', async () => {
    const client = connect(createProducerRedis);
    expect(await whenRedisReady(client, 10_000)).toBe(true);
    await client.set('counter', 0);
    redis.pause();
    onTestFinished(() => redis.resume());
    const sent = client.incr('counter');
    await expect(sent).rejects.toThrow('Command timed out');
    // The connection closes while Redis still hangs, so a repeated command would arrive after Redis resumes.
    await expect.poll(() => client.status, withRetry).not.toBe('ready');
    redis.resume();
    expect(await whenRedisReady(client, 10_000)).toBe(true);
    expect(await client.get('counter')).toBe('1');
  });

  it('shares round trips between commands of the same event loop turn', async () => {
    const client = connect(createProducerRedis);
    expect(await whenRedisReady(client, 10_000)).toBe(true);
    const replies = Promise.all([client.set('a', 1), client.set('b', 2), client.mget('a', 'b')]);
    expect(client.autoPipelineQueueSize).toBe(3);
    expect(await replies).toEqual(['OK', 'OK', ['1', '2']]);
  });
});

describe('a worker connection', () => {
  it('holds commands of a worker through an outage, however many attempts it takes, and then sends them', async () => {
    const client = connect(createWorkerRedis);
    await client.set('key', 'value');
    await redis.kill9();
    let attempts = 0;
    client.on('reconnecting', () => {
      attempts += 1;
    });
    const held = client.get('key');
    await expect.poll(() => attempts, withRetry).toBeGreaterThan(3);
    await redis.restart();
    expect(await held).toBe('value');
  });

  it('continues a blocking read of a worker after an outage', async () => {
    const client = connect(createWorkerRedis);
    await client.ping();
    const waiting = client.blpop('list', 0);
    await redis.kill9();
    await redis.restart();
    await queryRedis(redis.path, (other) => other.rpush('list', 'item'));
    expect(await waiting).toEqual(['list', 'item']);
  });
});

describe('a subscriber connection', () => {
  it('receives messages of subscribed channels again after an outage', async () => {
    const client = connect(createSubscriberRedis);
    const captured: string[] = [];
    client.on('message', (_channel: string, message: string) => captured.push(message));
    await client.subscribe('news');
    await redis.restart();
    const publish = () => queryRedis(redis.path, (other) => other.publish('news', 'hello'));
    await expect.poll(publish, withRetry).toBe(1);
    await expect.poll(() => captured, withRetry).toEqual(['hello']);
  });

  it('closes the connection to a silent Redis and receives messages again once Redis responds', async () => {
    const client = connect(createSubscriberRedis);
    const captured: string[] = [];
    client.on('message', (_channel: string, message: string) => captured.push(message));
    await client.subscribe('news');
    redis.pause();
    onTestFinished(() => redis.resume());
    await expect.poll(() => client.status, withRetry).not.toBe('ready');
    redis.resume();
    const publish = () => queryRedis(redis.path, (other) => other.publish('news', 'hello'));
    await expect.poll(publish, withRetry).toBe(1);
    await expect.poll(() => captured, withRetry).toEqual(['hello']);
  });
});

describe('a connection by address', () => {
  it('uses the database and the name of its address', async () => {
    const client = connect(createProducerRedis, `${redis.url}?db=3`, { connectionName: 'darkroom-test' });
    expect(await whenRedisReady(client, 10_000)).toBe(true);
    await client.set('only-in-3', 'yes');
    expect(await queryRedis(redis.path, (other) => other.get('only-in-3'))).toBeNull();
    expect(await client.client('GETNAME')).toBe('darkroom-test');
  });
});

describe('a Redis Cluster', () => {
  it.each<[string, Create]>([
    ['producer', createProducerRedis],
    ['worker', createWorkerRedis],
    ['subscriber', createSubscriberRedis],
  ])('accepts the same commands through a %s connection', async (_name, create) => {
    const { host, port } = await startTestCluster();
    const client = connect(create, `redis://${host}:${port},localhost:${port}`);
    expect(client.isCluster).toBe(true);
    expect(await whenRedisReady(client, 10_000)).toBe(true);
    const keys = Array.from({ length: 50 }, (_, index) => `key-${index}`);
    await Promise.all(keys.map((key) => client.set(key, key)));
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys);
    expect(await client.eval("return redis.call('GET', KEYS[1])", 1, 'key-7')).toBe('key-7');
  });

  it('lets a worker connection wait for the next master if a master dies, and rejects a producer at once', async () => {
    // The takeover takes longer than the retries of the client library.
    const cluster = await startReplicatedCluster(3_000);
    onTestFinished(cluster.stop);
    const producer = connect(createProducerRedis, cluster.url);
    const worker = connect(createWorkerRedis, cluster.url);
    const blocked = connect(createWorkerRedis, cluster.url);
    expect(await whenRedisReady(producer, 10_000)).toBe(true);
    await worker.set('{key}', 'value');
    await blocked.get('{key}');
    const master = await cluster.masterOf('{key}');
    const item = blocked.blpop('{key}:list', 0);
    await master.kill9();
    const held = worker.get('{key}');
    await expect(producer.get('{key}')).rejects.toThrow();
    await cluster.whenTakenOver('{key}', master);
    expect(await held).toBe('value');
    await expect.poll(() => producer.rpush('{key}:list', 'item').catch(() => 0), withRetry).toBe(1);
    expect(await item).toEqual(['{key}:list', 'item']);
  });

  it('rejects a producer within the one-second limit for responses to callers if the cluster is down', async () => {
    const node = await startTestCluster();
    const client = connect(createProducerRedis, `redis://${node.host}:${node.port}`, { cluster: true });
    expect(await whenRedisReady(client, 10_000)).toBe(true);
    await node.query((redis) => redis.cluster('DELSLOTS', 0));
    const response = client.get('key').catch((error: Error) => error.message);
    expect(await Promise.race([response, sleep(1_000, 'too late')])).toMatch('CLUSTERDOWN');
    await node.query((redis) => redis.cluster('ADDSLOTS', 0));
    await expect.poll(() => client.get('key').catch(() => 'refused'), withRetry).toBeNull();
  });

  it('serves a worker connection that reconnects during an outage, and its commands, after it recovers', async () => {
    const node = await startTestCluster();
    const client = connect(createWorkerRedis, `redis://${node.host}:${node.port}`, { cluster: true });
    await client.set('key', 'value');
    await node.query((redis) => redis.cluster('DELSLOTS', 0));
    await expect(node.query((redis) => redis.get('key'))).rejects.toThrow('CLUSTERDOWN');
    // BullMQ does this to a blocking connection that does not respond. BullMQ continues when both promises resolve.
    const ended = once(client, 'end');
    client.disconnect();
    await ended;
    const connected = client.connect();
    const held = client.get('key');
    await once(client, 'connect');
    await node.query((redis) => redis.cluster('ADDSLOTS', 0));
    expect(await held).toBe('value');
    await connected;
  });

  it('notifies a subscriber connection through another node if the subscribed node dies', async () => {
    const cluster = await startReplicatedCluster(1_000);
    onTestFinished(cluster.stop);
    const client = connect(createSubscriberRedis, cluster.url);
    const captured: string[] = [];
    client.on('message', (_channel: string, message: string) => captured.push(message));
    await client.subscribe('news');
    const counts = await Promise.all(
      cluster.nodes.map((node) => node.query((redis) => redis.pubsub('NUMSUB', 'news'))),
    );
    const [listenedTo, ...others] = cluster.nodes.toSorted(
      (a, b) => Number(counts[cluster.nodes.indexOf(b)]?.[1]) - Number(counts[cluster.nodes.indexOf(a)]?.[1]),
    );
    await listenedTo?.kill9();
    await expect
      .poll(async () => {
        await others[0]?.query((redis) => redis.publish('news', 'hello'));
        return captured;
      }, withRetry)
      .toContain('hello');
  });

  it('rejects commands of a producer and reports the cause if the cluster is unreachable', async () => {
    const errors: Error[] = [];
    const options = { cluster: true, onError: (error: Error) => errors.push(error) };
    const client = connect(createProducerRedis, 'redis://127.0.0.1:1', options);
    await expect(client.get('key')).rejects.toThrow();
    await expect.poll(() => errors.length, withRetry).toBeGreaterThan(1);
    await expect(client.get('key')).rejects.toThrow();
  });
});
