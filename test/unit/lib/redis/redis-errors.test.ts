import { ReplyError } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/errors.ts';
import { isRedisOutage, isWrongServer } from '../../../../src/lib/redis/redis-errors.ts';
import { createTranslation } from '../../../../src/lib/redis/store-failure.ts';

const reply = (message: string): Error => new ReplyError(message);
const coded = (code: string): Error => Object.assign(new Error(code), { code });
const discarded = (previousErrors: readonly Error[]) =>
  Object.assign(reply('EXECABORT Transaction discarded because of previous errors.'), { previousErrors });

const wrongServer = [
  "READONLY You can't write against a read only replica.",
  'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  'LOADING Redis is loading the dataset in memory',
  "ERR Error running script (call to f_1): @user_script:9: -READONLY You can't write against a read only replica.",
];
const outages: readonly Error[] = [
  ...wrongServer.map(reply),
  reply("OOM command not allowed when used memory > 'maxmemory'."),
  reply('ERR Error running script (call to f_1): @user_script:1: OOM command not allowed'),
  reply('CLUSTERDOWN The cluster is down'),
  reply('MISCONF Errors writing to the AOF file: No space left on device'),
  reply('NOAUTH Authentication required.'),
  reply('WRONGPASS invalid username-password pair or user is disabled.'),
  reply('ERR max number of clients reached'),
  discarded([reply('OOM command not allowed')]),
  new Error('Connection is closed.'),
  new Error("Stream isn't writeable and enableOfflineQueue options is false"),
  new Error('Command timed out'),
  new Error("Socket timeout. Expecting data, but didn't receive any in 5000ms."),
  coded('ECONNREFUSED'),
  coded('EPIPE'),
  coded('CERT_HAS_EXPIRED'),
];
const faults: readonly Error[] = [
  reply('WRONGTYPE Operation against a key holding the wrong kind of value'),
  reply("ERR Error compiling script (new function): user_script:1: '=' expected near 'x'"),
  reply(
    'ERR user_script:3: Script attempted to access nonexistent global variable x script: 1, on @user_script:3.',
  ),
  reply("CROSSSLOT Keys in request don't hash to the same slot"),
  discarded([reply('OOM command not allowed'), reply("ERR wrong number of arguments for 'set' command")]),
  new TypeError('x is undefined'),
  new Error('a fault of ours'),
  coded('ERR_INVALID_ARG_TYPE'),
  new AppError('not_found'),
];

describe('an error of Redis', () => {
  it.each(outages.map((error) => [error.message, error] as const))(
    'classifies a Redis error as an outage: %s',
    (_message, error) => {
      expect(isRedisOutage(error)).toBe(true);
    },
  );

  it.each(faults.map((error) => [error.message, error] as const))(
    'does not classify a Redis error as an outage: %s',
    async (_message, error) => {
      expect(isRedisOutage(error)).toBe(false);
      const translated = createTranslation(() => new AppError('store_unavailable'));
      await expect(translated(() => Promise.reject(error))).rejects.toBe(error);
    },
  );

  it.each(wrongServer)('recognizes that another Redis server is responsible: %s', (message) => {
    expect(isWrongServer(reply(message))).toBe(true);
  });

  it('does not treat other Redis errors as a redirection to another server', () => {
    const others = [...outages.slice(wrongServer.length), ...faults];
    expect(others.filter(isWrongServer)).toEqual([]);
  });
});
