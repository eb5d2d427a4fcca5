import { access, constants, mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Logger } from 'pino';
import {
  type Config,
  describeConfig,
  faultsOf,
  intendedMode,
  loadConfig,
  type Mode,
} from '../config/config.ts';
import { createClosers } from '../lib/closers.ts';
import type { RedisClient } from '../lib/redis/redis.ts';
import { probeStore } from '../outbound/records/probe-store.ts';
import type { Check } from '../usecases/maintenance/diagnose.ts';
import { composeProvider, composeStorage, describeStorage } from './adapters.ts';
import { namedProvider } from './local.ts';
import { redisTargetOf, withRedis } from './tools.ts';

/**
 * What `doctor` looks at: the configuration as the mode that is meant here would take it, and what it points to, as far
 * as that can be read.
 */
export function composeChecks(env: NodeJS.ProcessEnv, log: Logger): Check[] {
  const mode = intendedMode(env);
  const basics: Check[] = [
    { name: 'Node', run: async () => `${process.version} on ${process.platform}` },
    { name: 'configuration', run: async () => checkConfiguration(env, mode) },
  ];
  // What only `serve` misses keeps nobody from looking at the rest.
  if (faultsOf(env, 'tool').length > 0) return basics;
  const config = loadConfig(env, 'tool');
  return [
    ...basics,
    { name: 'data folder', run: () => checkFolder(config.DATA_DIR) },
    { name: 'Redis', run: () => checkRedis(config, mode, log) },
    { name: 'storage', run: () => checkStorage(config) },
    { name: 'provider', run: () => checkProvider(config) },
  ];
}

function checkConfiguration(env: NodeJS.ProcessEnv, mode: 'serve' | 'dev'): string {
  const values = describeConfig(loadConfig(env, mode)).filter((each) => each.source !== 'unset');
  const text = `${values.length} values, no faults for \`darkroom ${mode}\``;
  const refused = mode === 'dev' ? faultsOf(env, 'serve') : [];
  if (refused.length === 0) return text;
  return [`${text}; \`darkroom serve\` would refuse:`, ...refused].join('\n  ');
}

async function checkFolder(folder: string): Promise<string> {
  const path = resolve(folder);
  await mkdir(path, { recursive: true });
  await access(path, constants.W_OK);
  return `${path} is writable`;
}

async function checkRedis(config: Config, mode: Mode, log: Logger): Promise<string> {
  const target = await redisTargetOf(config);
  if (!target && mode === 'dev') return 'none runs in this folder; `darkroom dev` starts one of its own';
  return withRedis(target, config, log, (redis) => checkServer(redis, config));
}

async function checkServer(redis: RedisClient, config: Config): Promise<string> {
  await probeStore(redis, config.REDIS_KEY_PREFIX);
  const info = await redis.info();
  const field = (name: string) => new RegExp(`^${name}:(.*)\\r?$`, 'm').exec(info)?.[1] ?? 'unknown';
  if (field('aof_enabled') === '0') {
    throw new Error(
      'takes writes, but appendonly is off: accepted jobs are lost when it restarts. Set appendonly yes',
    );
  }
  return `version ${field('redis_version')}, takes writes, appendonly on, ${field('used_memory_human')} used`;
}

async function checkStorage(config: Config): Promise<string> {
  const closers = createClosers(() => {});
  try {
    const storage = composeStorage(config, { secretsKey: Buffer.alloc(32) }, closers);
    await storage.check();
    return `${describeStorage(config)} is usable`;
  } finally {
    await closers.close();
  }
}

async function checkProvider(config: Config): Promise<string> {
  if (!config.roles.has('worker')) return 'not needed: only the role worker calls it';
  const named = namedProvider(config);
  if (!named) return 'studio: offline images; set OPENAI_API_KEY, and not PROVIDER=studio, for real ones';
  const provider = composeProvider(config, named);
  try {
    return await provider.check();
  } finally {
    await provider.close();
  }
}
