import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { readCatalogue } from '../config/model-faults.ts';
import type { BreakerTool, KeyTools } from '../inbound/cli/context.ts';
import { createKeyText, digestHex } from '../lib/crypto/api-key-text.ts';
import { createProducerRedis, type RedisClient, whenRedisReady } from '../lib/redis/redis.ts';
import { describeRedisTarget, parseRedisTarget } from '../lib/redis/redis-target.ts';
import { socketUrl } from '../local/redis/query-server.ts';
import { findSocketPath } from '../local/redis/socket-path.ts';
import { createApiKeys } from '../outbound/records/api-keys.ts';
import { createAuditLog } from '../outbound/records/audit-log.ts';
import { createCircuitBreaker } from '../outbound/records/circuit-breaker.ts';
import { createKeyUse } from '../outbound/records/key-use.ts';
import { createKeys } from '../outbound/records/keys.ts';
import { createSpending } from '../outbound/records/spending.ts';
import { createTenants } from '../outbound/records/tenants.ts';
import { createManageKeys } from '../usecases/access/manage-keys.ts';
import { createOverrideBudget } from '../usecases/access/override-budget.ts';
import { createReadSpending } from '../usecases/access/read-spending.ts';
import { createResumeProvider } from '../usecases/maintenance/resume-provider.ts';
import { auditBoundsOf, keyBoundsOf } from './audit-bounds.ts';
import { clock } from './clock.ts';
import { openRedis } from './redis.ts';

const reachMs = 3_000;

/** Returns the Redis for command-line tools: the configured one, otherwise that of a running `dev` in the same folder. */
export async function redisTargetOf(config: Config): Promise<string | undefined> {
  if (config.REDIS_URL) return config.REDIS_URL;
  const socketPath = await findSocketPath(config.DATA_DIR);
  return socketPath && socketUrl(socketPath);
}

/** Runs work with a Redis connection. @throws Error with the remedy if Redis is unreachable or not configured. */
export async function withRedis<T>(
  redisTarget: string | undefined,
  { config, log }: { readonly config: Config; readonly log: Logger },
  work: (redis: RedisClient) => Promise<T>,
): Promise<T> {
  if (!redisTarget) {
    throw new Error('There is no Redis. Set REDIS_URL, or start `darkroom dev` in this folder.');
  }
  const tool = { redisTarget, name: 'tool' };
  const { client: redis, lastError } = openRedis(createProducerRedis, tool, { config, log });
  try {
    if (await whenRedisReady(redis, reachMs)) return await work(redis);
    const address = describeRedisTarget(parseRedisTarget(redisTarget, { cluster: config.REDIS_CLUSTER }));
    const error = lastError();
    const reason = error instanceof Error ? error.message : 'no connection in time';
    throw new Error(`Redis at ${address} cannot be used: ${reason}. Start it, or correct REDIS_URL.`);
  } finally {
    redis.disconnect();
  }
}

/** Runs work with the API keys of the deployment. */
export async function withKeys<T>(
  config: Config,
  log: Logger,
  work: (keys: KeyTools) => Promise<T>,
): Promise<T> {
  return withRedis(await redisTargetOf(config), { config, log }, (redis) => {
    const keys = createKeys(config.REDIS_KEY_PREFIX);
    const apiKeys = createApiKeys(redis, keys, keyBoundsOf(config));
    const tenants = createTenants(redis, keys, { audit: auditBoundsOf(config) });
    return work({
      ...createManageKeys({
        apiKeys,
        keyUse: createKeyUse(redis, keys),
        readSpending: createReadSpending({ spending: createSpending(redis, keys), clock }),
        catalogue: readCatalogue(config),
        allowUnknownModels: config.ALLOW_UNKNOWN_MODELS,
        createKeyText,
        digest: digestHex,
        clock,
      }),
      overrideBudget: createOverrideBudget({ apiKeys, tenants, digest: digestHex, clock }),
    });
  });
}

/** Runs work with the circuit breakers of the deployment. */
export async function withBreaker<T>(
  config: Config,
  log: Logger,
  work: (breaker: BreakerTool) => Promise<T>,
): Promise<T> {
  return withRedis(await redisTargetOf(config), { config, log }, (redis) => {
    const keys = createKeys(config.REDIS_KEY_PREFIX);
    const breaker = createCircuitBreaker(redis, keys, clock);
    const audit = createAuditLog(redis, keys, { audit: auditBoundsOf(config) });
    const resume = createResumeProvider({ breaker, audit, clock });
    return work({ list: breaker.list, resume: (scope) => resume({ kind: 'command_line' }, scope) });
  });
}
