import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Closers } from '../lib/closers.ts';
import { loadDevSecrets } from '../local/dev-secrets.ts';
import { startManagedRedis } from '../local/redis/start.ts';
import { selectedProvider } from '../outbound/providers/registry.ts';
import { createDataFolder } from './data-folder.ts';

/** Addresses of Redis, storage and provider, which this process or an operator runs. */
export interface Environment {
  readonly redisTarget: string;
  readonly redis: { readonly managed: boolean; readonly text: string };
  readonly provider: {
    readonly name: string;
    /** Address of the offline server that this process runs, if its provider needs one. */
    readonly studioUrl: string | undefined;
  };
  readonly secretsKey: Buffer;
  /** API key that `dev` generated. Undefined outside `dev`. */
  readonly devApiKey: string | undefined;
}

/** Returns the folder for a downloaded Redis server. It lies in the user's cache, so that it outlives a data folder. */
export function cacheDirOf(config: Pick<Config, 'XDG_CACHE_HOME'>): string {
  return join(config.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'darkroom');
}

/**
 * Reads Redis, provider and secrets from the configuration. In `dev` mode, starts missing servers and generates missing
 * secrets.
 *
 * @param options.say receives one line for each slow step.
 */
export async function composeEnvironment(
  config: Config,
  closers: Closers,
  options: { say: (line: string) => void },
): Promise<Environment> {
  createDataFolder(config.DATA_DIR);
  const dev = config.mode === 'dev' ? loadDevSecrets(config.DATA_DIR) : undefined;
  const secretsKey = config.SECRETS_KEY ?? dev?.secretsKey;
  if (!secretsKey) throw new Error('SECRETS_KEY is needed');
  const redis = await composeRedis(config, closers, options);
  const provider = {
    name: selectedProvider(config).name,
    studioUrl: await startNeededStudio(config, closers),
  };
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

async function startNeededStudio(config: Config, closers: Closers): Promise<string | undefined> {
  // Other roles need no studio, because only workers call the provider.
  if (!config.roles.has('worker') || !selectedProvider(config).needsStudio(config)) return undefined;
  // Imported on demand, because it loads the image library, which a process with a real provider does not need.
  const { startStudio } = await import('../local/studio/studio.ts');
  const studio = closers.add(await startStudio(), (running) => running.stop());
  return studio.baseUrl;
}
