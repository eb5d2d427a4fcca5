import { describe, expect, it } from 'vitest';
import {
  isAtLeast,
  parseServerVersion,
  serverEnvironment,
} from '../../../../src/local/redis/redis-binary.ts';

describe('parseServerVersion', () => {
  it.each([
    ['Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=e08d', 'redis', '7.0.15'],
    ['Valkey server v=8.1.3 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1', 'valkey', '8.1.3'],
    ['a warning of the loader\nRedis server v=6.2.0 sha=0\n', 'redis', '6.2.0'],
  ])('parses the Redis server version %j', (output, flavor, version) => {
    expect(parseServerVersion(output)).toEqual({ flavor, version });
  });

  it.each([['redis-cli 7.0.15'], ['Keydb server v=6.3.4'], ['']])(
    'does not recognize %j as a Redis server',
    (output) => {
      expect(parseServerVersion(output)).toBeUndefined();
    },
  );
});

describe('isAtLeast', () => {
  it.each([
    ['6.0.0', '6.0.0', true],
    ['6.0.16', '6.0.9', true],
    ['10.0.0', '9.9.9', true],
    ['5.0.14', '6.0.0', false],
    ['6.0.9', '6.0.10', false],
  ])('compares version %s with the minimum %s: %s', (version, least, expected) => {
    expect(isAtLeast(version, least)).toBe(expected);
  });
});

describe('serverEnvironment', () => {
  it('starts Redis with no variable of this process environment', () => {
    expect(Object.keys(serverEnvironment()).sort()).toEqual(['LC_ALL']);
    expect(serverEnvironment('/a:/b')).toEqual({ LC_ALL: 'C', LD_LIBRARY_PATH: '/a:/b' });
  });
});
