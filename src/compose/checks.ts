import { access, constants, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { type Config, faultsOf, intendedMode, loadConfig, type Mode } from '../config/config.ts';
import { describeConfig } from '../config/describe-config.ts';
import { readCatalogue } from '../config/model-faults.ts';
import { redactUrl } from '../lib/redact-url.ts';
import type { RedisClient } from '../lib/redis/redis.ts';
import { systemCode } from '../lib/system-code.ts';
import { selectedProvider } from '../outbound/providers/registry.ts';
import { hasAppendOnlyFile } from '../outbound/records/append-only-file.ts';
import { inspectStore } from '../outbound/records/inspect-store.ts';
import type { Check } from '../usecases/maintenance/diagnose.ts';
import { weakKeyOf } from './bootstrap-keys.ts';
import { currentFaults } from './catalogues.ts';
import { clock } from './clock.ts';
import { composeProvider } from './provider.ts';
import { composeStorage, describeStorage, storageProxy } from './storage.ts';
import { redisTargetOf, withRedis } from './tools.ts';

/**
 * Returns the checks of `doctor`: the configuration in the intended mode, and every dependency that it names. No check
 * creates a file, a key or an object.
 */
export function composeChecks(env: NodeJS.ProcessEnv, log: Logger): Check[] {
  const mode = intendedMode(env);
  const basics: Check[] = [
    { name: 'Node', run: async () => `${process.version} on ${process.platform}` },
    { name: 'configuration', run: async () => checkConfiguration(env, mode) },
  ];
  // Uses the rules of tools, because a missing variable of `serve` should not skip the checks of dependencies.
  if (faultsOf(env, 'tool').length > 0) return basics;
  const config = loadConfig(env, 'tool');
  return [
    ...basics,
    { name: 'models', run: async () => checkModels(config) },
    { name: 'data folder', run: () => checkFolder(config.DATA_DIR) },
    { name: 'Redis', run: () => checkRedis(config, mode, log) },
    { name: 'storage', run: () => checkStorage(config) },
    { name: 'provider', run: () => checkProvider(config) },
  ];
}

function checkConfiguration(env: NodeJS.ProcessEnv, mode: 'serve' | 'dev'): string {
  const config = loadConfig(env, mode);
  const values = describeConfig(config).filter((each) => each.source !== 'unset');
  const weakness = weakKeyOf(config);
  const text = `${values.length} values, no faults for \`darkroom ${mode}\`${weakness ? `; ${weakness}` : ''}`;
  const refused = mode === 'dev' ? faultsOf(env, 'serve') : [];
  if (refused.length === 0) return text;
  return [`${text}; \`darkroom serve\` would refuse:`, ...refused].join('\n  ');
}

/** Checks that the models, the quality and the presets of the configuration are usable today. */
function checkModels(config: Config): string {
  const faults = currentFaults(config, readCatalogue(config), clock());
  if (faults.length > 0) throw new Error(faults.join('\n  '));
  return `requests without a model use ${config.DEFAULT_MODEL}`;
}

/** Checks that a folder is writable, or that the service can create it. */
async function checkFolder(folder: string): Promise<string> {
  const path = resolve(folder);
  const existing = await nearestExisting(path);
  await access(existing, constants.W_OK | constants.X_OK);
  if (!(await stat(existing)).isDirectory()) throw new Error(`${existing} is not a folder`);
  return existing === path ? `${path} is writable` : `${path} does not exist yet and can be created`;
}

async function nearestExisting(path: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return nearestExisting(dirname(path));
  }
}

async function checkRedis(config: Config, mode: Mode, log: Logger): Promise<string> {
  const target = await redisTargetOf(config);
  if (!target && mode === 'dev') return 'none runs in this folder; `darkroom dev` starts one';
  return withRedis(target, { config, log }, (redis) => checkServer(redis, config));
}

async function checkServer(redis: RedisClient, config: Config): Promise<string> {
  await inspectStore(redis, config.REDIS_KEY_PREFIX);
  const info = await redis.info();
  const field = (name: string) => new RegExp(`^${name}:(.*)\\r?$`, 'm').exec(info)?.[1] ?? 'unknown';
  if ((await hasAppendOnlyFile(redis)) === false) {
    throw new Error(
      'accepts writes, but appendonly is off: a restart loses accepted jobs. Set appendonly to yes',
    );
  }
  return `version ${field('redis_version')}, accepts writes, appendonly on, ${field('used_memory_human')} used`;
}

async function checkStorage(config: Config): Promise<string> {
  const storage = composeStorage(config, Buffer.alloc(32));
  try {
    // Folders have a separate check, because `storage.check` would create the folder and write a file.
    if (storage.isServedHere) return await checkFolder(join(config.DATA_DIR, 'images'));
    await storage.check();
    return `${describeStorage(config)} is usable${routeText(storageProxy(config))}`;
  } finally {
    await storage.close();
  }
}

/** Returns a phrase with the proxy of calls, or an empty text without a proxy. */
const routeText = (proxy: string | undefined) => (proxy ? `, by the proxy ${redactUrl(proxy)}` : '');

async function checkProvider(config: Config): Promise<string> {
  if (!config.roles.has('worker')) return 'not needed: only the role worker calls it';
  const selected = selectedProvider(config);
  if (selected.needsStudio(config)) {
    return 'studio: offline images; for real ones set OPENAI_API_KEY and remove PROVIDER=studio';
  }
  const provider = await composeProvider(config, { studioUrl: undefined });
  try {
    return (await provider.probe()) + routeText(provider.proxy);
  } finally {
    await provider.close();
  }
}
