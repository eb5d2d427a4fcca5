/** Failure to provide a managed Redis. The message says what failed and what the operator can do. */
export class ManagedRedisError extends Error {
  override readonly name = 'ManagedRedisError';
}

/** Remedies at the end of every message about a missing Redis. */
export const waysToGetRedis = [
  'Do one of these:',
  '  - set REDIS_URL to a running Redis, for example redis://127.0.0.1:6379',
  '  - install redis or valkey (Debian and Ubuntu: sudo apt-get install redis-server; macOS: brew install valkey) and start again',
  '  - set REDIS_SERVER_BIN to the path of a redis-server or valkey-server program',
].join('\n');
