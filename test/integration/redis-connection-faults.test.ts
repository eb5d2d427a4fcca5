import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createConnectionSet } from '../../src/lib/redis/connection-set.ts';
import {
  createProducerRedis,
  createRedis,
  createSubscriberRedis,
  type RedisClient,
  whenRedisReady,
} from '../../src/lib/redis/redis.ts';
import { checkPermissions } from '../../src/outbound/records/check-permissions.ts';
import { queryRedis } from '../support/redis.ts';
import { startTcpRedis } from '../support/redis-ports.ts';

/** Returns what readiness reports of one connection to an address. */
async function faultOf(url: string): Promise<() => Promise<string | null>> {
  let lastError: unknown;
  const connections = createConnectionSet('test:probe');
  const client = createProducerRedis(url, {
    onError: (error) => {
      lastError = error;
    },
  });
  onTestFinished(() => client.disconnect());
  connections.add('records', client, { use: 'commands', lastError: () => lastError });
  return () =>
    connections.check().then(
      () => null,
      (error: Error) => error.message,
    );
}

const withRetry = { timeout: 15_000, interval: 50 };

/** Starts a server that treats each connection in the given way after its first bytes. */
async function serverThat(respond: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => respond(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

describe('readiness of a Redis user', () => {
  it.each([
    [
      'no channels, the default of new users',
      ['~*', '+@all'],
      'may not use the channels of the service; add &*',
    ],
    ['no scripts', ['~*', '&*', '+@all', '-@scripting'], 'may not run the command eval'],
    ['no publishing', ['~*', '&*', '+@all', '-publish'], 'may not run'],
    ['no subscriptions', ['~*', '&*', '+@all', '-subscribe'], 'may not run the command subscribe'],
    ['no blocking reads', ['~*', '&*', '+@all', '-@blocking'], 'may not run the command blpop'],
    ['no keys of the queues', ['~test:*', '&*', '+@all'], 'may not use the keys of the service; add ~*'],
    ['no dangerous commands, as managed servers do', ['~*', '&*', '+@all', '-@dangerous'], null],
  ])('names the permission that the user lacks: %s', async (_name, rules, fault) => {
    const redis = await startTcpRedis();
    await queryRedis(redis.url, (client) => client.acl('SETUSER', 'app', 'on', '>secret', ...rules));
    const url = `redis://app:secret@127.0.0.1:${redis.port}`;
    const clients = [createProducerRedis, createSubscriberRedis].map((create) => {
      const client = create(url, { onError: () => {} });
      onTestFinished(() => client.disconnect());
      return client;
    });
    const [client, subscriber] = clients as [RedisClient, RedisClient];
    for (const each of clients) await whenRedisReady(each, 10_000);
    const probe = { key: 'test:probe', channel: 'test:changed', queuePrefix: '{test-queue}' };
    const check = checkPermissions({ redis: client, subscriber }, probe);
    if (fault === null) await expect(check).resolves.toBeUndefined();
    else await expect(check).rejects.toThrow(`the Redis user ${fault}`);
  });
});

describe('readiness of a Redis connection', () => {
  it('reports a missing and a wrong Redis password and recovers when the password is right', async () => {
    const redis = await startTcpRedis();
    await redis.configure({ requirepass: 'secret' });
    const missing = await faultOf(`redis://127.0.0.1:${redis.port}`);
    await expect
      .poll(missing, withRetry)
      .toBe('connection records: Redis requires a password; add it to REDIS_URL');
    const wrong = await faultOf(`redis://:wrong@127.0.0.1:${redis.port}`);
    await expect.poll(wrong, withRetry).toBe('connection records: wrong password or user name in REDIS_URL');
    const right = await faultOf(`redis://:secret@127.0.0.1:${redis.port}?family=0`);
    await expect.poll(right, withRetry).toBeNull();
    await redis.configure({ requirepass: '' }, `redis://:secret@127.0.0.1:${redis.port}`);
    await expect.poll(missing, withRetry).toBeNull();
  });

  it('reports a refused connection, an unknown host, a foreign protocol and a server that expects TLS', async () => {
    const http = await serverThat((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const resetting = await serverThat((socket) => void socket.resetAndDestroy());
    for (const [url, fault] of [
      ['redis://127.0.0.1:1', 'connection refused'],
      ['redis://no-such-host.invalid', 'host name'],
      [`redis://127.0.0.1:${http}`, 'does not speak the Redis protocol'],
      [`redis://127.0.0.1:${resetting}`, 'may require TLS'],
    ] as const) {
      await expect.poll(await faultOf(url), withRetry).toContain(fault);
    }
  });

  it('reports a server that uses no TLS and a server that has reached its limit of connections', async () => {
    const redis = await startTcpRedis();
    await expect
      .poll(await faultOf(`rediss://127.0.0.1:${redis.port}`), withRetry)
      .toContain('TLS (redis:// or rediss://)');
    await redis.configure({ maxclients: 1 });
    const holder = createRedis(redis.url, { onError: () => {} });
    onTestFinished(() => holder.disconnect());
    await holder.ping();
    await expect.poll(await faultOf(`redis://127.0.0.1:${redis.port}`), withRetry).toContain('maxclients');
  });
});
