import { describe, expect, it } from 'vitest';
import { reconnectDelayMs } from '../../../../src/lib/redis/redis.ts';
import { describeRedisTarget, parseRedisTarget } from '../../../../src/lib/redis/redis-target.ts';

const tcp = { kind: 'tcp', host: 'cache', port: 6379, db: 0, tls: false };

describe('parseRedisTarget', () => {
  it.each([
    ['redis://cache', tcp],
    ['redis://cache:7000/3', { ...tcp, port: 7000, db: 3 }],
    ['redis://cache?db=4', { ...tcp, db: 4 }],
    ['rediss://cache:6380', { ...tcp, port: 6380, tls: true }],
    ['redis://:secret@cache', { ...tcp, password: 'secret' }],
    ['redis://me:p%40ss%2F@cache', { ...tcp, username: 'me', password: 'p@ss/' }],
    ['redis://[::1]:7000', { ...tcp, host: '::1', port: 7000 }],
    [' redis://cache ', tcp],
  ])('parses the Redis server %s', (target, expected) => {
    expect(parseRedisTarget(target)).toEqual(expected);
  });

  it.each([
    ['/run/redis.sock', { kind: 'socket', path: '/run/redis.sock', db: 0 }],
    ['/run/redis.sock?db=2', { kind: 'socket', path: '/run/redis.sock', db: 2 }],
    ['/run/a,b/redis.sock', { kind: 'socket', path: '/run/a,b/redis.sock', db: 0 }],
    ['unix:///run/redis.sock?db=5', { kind: 'socket', path: '/run/redis.sock', db: 5 }],
    ['redis+unix:///run/redis.sock', { kind: 'socket', path: '/run/redis.sock', db: 0 }],
    ['unix:///my%20data/what%3F/redis.sock', { kind: 'socket', path: '/my data/what?/redis.sock', db: 0 }],
  ])('parses the Redis socket %s', (target, expected) => {
    expect(parseRedisTarget(target)).toEqual(expected);
  });

  it('parses several hosts as a cluster with TLS and password of the first host', () => {
    expect(parseRedisTarget('rediss://u:p@one:7000, two:7001,rediss://[::2]:7002')).toEqual({
      kind: 'cluster',
      nodes: [
        { host: 'one', port: 7000 },
        { host: 'two', port: 7001 },
        { host: '::2', port: 7002 },
      ],
      tls: true,
      username: 'u',
      password: 'p',
    });
  });

  it('parses one host as a cluster if the options say so', () => {
    const expected = { kind: 'cluster', nodes: [{ host: 'cache', port: 6379 }], tls: false };
    expect(parseRedisTarget('redis://cache', { cluster: true })).toEqual(expected);
  });

  it.each([
    ['', {}],
    ['cache:6379', {}],
    ['http://cache', {}],
    ['redis://', {}],
    ['redis://cache/first', {}],
    ['redis://cache:99999', {}],
    ['redis://cache?timeout=5', {}],
    ['run/redis.sock', {}],
    ['unix://run/redis.sock', {}],
    ['redis://one/2,two', {}],
    ['redis://one,,two', {}],
    ['/run/redis.sock', { cluster: true }],
    ['redis://:50%@cache', {}],
  ])('refuses the Redis address %j (%j)', (target, options) => {
    expect(() => parseRedisTarget(target, options)).toThrow(/redis|socket|database/i);
  });

  it('never repeats a password in an error about a Redis address', () => {
    for (const target of [
      'redis://u:hunter2@cache:port',
      'http://u:hunter2@cache',
      'redis://:hunter2@cache/x',
      'redis://:hunter2%@cache',
    ]) {
      const attempt = () => parseRedisTarget(target);
      expect(attempt).toThrow();
      expect(attempt).not.toThrow(/hunter2/);
    }
  });
});

describe('describeRedisTarget', () => {
  it.each([
    ['redis://u:hunter2@cache:7000/3', 'redis://cache:7000/3'],
    ['rediss://[::1]', 'rediss://[::1]:6379/0'],
    ['redis://:hunter2@one,two:7001', 'redis://one:6379,two:7001 (cluster)'],
    ['unix:///run/redis.sock?db=5', '/run/redis.sock?db=5'],
    ['/run/redis.sock', '/run/redis.sock'],
  ])('describes the Redis address %s without its password', (target, expected) => {
    expect(describeRedisTarget(parseRedisTarget(target))).toBe(expected);
  });
});

describe('reconnectDelayMs', () => {
  it('increases the reconnect delay from 50 ms to at most one second', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 100_000].map(reconnectDelayMs)).toEqual([
      50, 100, 200, 400, 800, 1000, 1000, 1000,
    ]);
  });
});
