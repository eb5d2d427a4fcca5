/** Why no managed Redis could be had. The message says what happened and what the operator can do. */
export class ManagedRedisError extends Error {
  override readonly name = 'ManagedRedisError';
}

/** The ways out that every "no Redis" message ends with. */
export const waysToGetRedis = [
  'There are three ways to give Darkroom a Redis:',
  '  - set REDIS_URL to one that runs already, for example redis://127.0.0.1:6379',
  '  - install redis or valkey (Debian and Ubuntu: sudo apt-get install redis-server; macOS: brew install valkey) and start again',
  '  - set REDIS_SERVER_BIN to the path of a redis-server or valkey-server program',
].join('\n');
