import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Closers } from '../lib/closers.ts';
import { loadDevSecrets } from '../local/dev-secrets.ts';
import { startManagedRedis } from '../local/redis/start.ts';
import { startStudio } from '../local/studio/studio.ts';

/** Addresses of Redis, storage and provider, which this process or an operator runs. */
export interface Environment {
  readonly redisTarget: string;
  readonly redis: { readonly managed: boolean; readonly text: string };
  readonly provider: {
    readonly name: 'openai' | 'studio';
    readonly apiKey: string;
    readonly baseUrl: string | undefined;
  };
  readonly secretsKey: Buffer;
  /** The key that `dev` made for itself. */
  readonly devApiKey: string | undefined;
}

/** A fetched server is kept beside other programs' caches, so that it outlives a data folder. */
export function cacheDirOf(config: Pick<Config, 'XDG_CACHE_HOME'>): string {
  return join(config.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'darkroom');
}

/**
 * Takes Redis, provider and secrets from the configuration, and in `dev` runs or makes what is missing.
 *
 * @param say hears in single lines what takes time.
 */
export async function composeEnvironment(
  config: Config,
  closers: Closers,
  options: { say: (line: string) => void },
): Promise<Environment> {
  const dev = config.mode === 'dev' ? loadDevSecrets(config.DATA_DIR) : undefined;
  const secretsKey = config.SECRETS_KEY ?? dev?.secretsKey;
  if (!secretsKey) throw new Error('SECRETS_KEY is needed');
  const redis = await composeRedis(config, closers, options);
  const provider = await chooseProvider(config, closers);
  return { ...redis, provider, secretsKey, devApiKey: dev?.apiKey };
}

async function composeRedis(
  config: Config,
  closers: Closers,
  options: { say: (line: string) => void },
): Promise<Pick<Environment, 'redisTarget' | 'redis'>> {
  if (config.REDIS_URL)
    return { redisTarget: config.REDIS_URL, redis: { managed: false, text: 'REDIS_URL' } };
  const server = await startManagedRedis({
    dataDir: config.DATA_DIR,
    cacheDir: cacheDirOf(config),
    binary: config.REDIS_SERVER_BIN,
    searchPath: config.PATH,
    log: options.say,
  });
  closers.add(server, (running) => running.stop());
  return { redisTarget: server.url, redis: { managed: true, text: `managed Redis ${server.version}` } };
}

async function chooseProvider(config: Config, closers: Closers): Promise<Environment['provider']> {
  const named = namedProvider(config);
  if (named) return named;
  // Only a worker makes calls: the others have no use for a studio, and need no key.
  if (!config.roles.has('worker')) return { name: 'studio', apiKey: 'studio', baseUrl: undefined };
  const studio = closers.add(await startStudio(), (running) => running.stop());
  return { name: 'studio', apiKey: 'studio', baseUrl: studio.baseUrl };
}

/** The provider that a configuration names; none where it means a studio that every process runs for itself. */
export function namedProvider(config: Config): Environment['provider'] | undefined {
  const { OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseUrl } = config;
  const name = config.PROVIDER ?? (apiKey ? 'openai' : 'studio');
  // A studio that runs elsewhere is reached like any other server.
  if (name === 'studio') return baseUrl ? { name, apiKey: apiKey ?? 'studio', baseUrl } : undefined;
  return { name, apiKey: apiKey ?? 'none', baseUrl };
}
