import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { z } from 'zod';
import { parseRedisTarget } from '../lib/redis/redis-target.ts';
import { systemCode } from '../lib/system-code.ts';
import type { ValuesOf } from '../lib/variable.ts';
import { storages } from '../outbound/storage/registry.ts';
import { wordsFor } from './values.ts';
import { type Role, roles, type VariableName, variables } from './variables.ts';

/** What a command needs: `serve` and `dev` run the service, `tool` only looks at it. */
export type Mode = 'serve' | 'dev' | 'tool';

type Values = ValuesOf<typeof variables>;

/** Where a value came from. */
export type Source = 'environment' | 'file' | 'default' | 'unset';

export interface Config extends Omit<Values, 'ROLES'> {
  readonly mode: Mode;
  readonly roles: ReadonlySet<Role>;
  readonly sources: Readonly<Record<VariableName, Source>>;
}

/** All that is wrong with a configuration, one line each. */
export class ConfigError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The configuration is not usable:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/**
 * Reads the configuration. An empty variable counts as absent.
 *
 * @throws ConfigError naming every bad variable at once.
 */
export function loadConfig(env: NodeJS.ProcessEnv, mode: Mode): Config {
  const { values, sources, faults } = readVariables(Object.keys(variables) as VariableName[], env, mode);
  const { ROLES, ...rest } = values;
  const named = (ROLES ?? ['all']) as (Role | 'all')[];
  const config = {
    ...rest,
    mode,
    roles: new Set(named.includes('all') ? roles : (named as Role[])),
    sources,
  } as unknown as Config;
  // Where a variable is wrong by itself, what it makes of others is not known.
  const isSound = (fault: string) => !fault.match(/\w+/g)?.some((word) => faults.has(word));
  const all = [...faults.values(), ...contradictions(config).filter(isSound)];
  if (all.length > 0) throw new ConfigError(all);
  return config;
}

/** All that is wrong with a configuration, one line each; nothing when `loadConfig` takes it. */
export function faultsOf(env: NodeJS.ProcessEnv, mode: Mode): readonly string[] {
  try {
    loadConfig(env, mode);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

/**
 * Reads some variables, for a program that needs no others and is not to fail for them.
 *
 * @throws ConfigError naming every bad one of them at once.
 */
export function loadValues<Name extends keyof Config & VariableName>(
  names: readonly Name[],
  env: NodeJS.ProcessEnv,
): Pick<Config, Name> {
  const { values, faults } = readVariables(names, env, 'tool');
  if (faults.size > 0) throw new ConfigError([...faults.values()]);
  return values as Pick<Config, Name>;
}

/** What is meant to run here: a service where somebody names its Redis or calls it production, else `dev`. */
export function intendedMode(env: NodeJS.ProcessEnv): 'serve' | 'dev' {
  const { values, sources } = readVariables(['NODE_ENV', 'REDIS_URL'], env, 'tool');
  return values.NODE_ENV === 'production' || sources.REDIS_URL !== 'unset' ? 'serve' : 'dev';
}

/**
 * The process's own environment, together with a `.env` file in the working folder where there is one: what stands in both
 * is taken from the environment.
 *
 * @throws ConfigError when there is a file that cannot be read: it must not pass for none.
 */
export function processEnv(): NodeJS.ProcessEnv {
  for (const [name, value] of Object.entries(parseEnv(environmentFile()))) process.env[name] ??= value;
  // The SDK warns on Node 20 of versions to come; ours is pinned to one that supports it.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  return process.env;
}

function environmentFile(): string {
  try {
    return readFileSync('.env', 'utf8');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return '';
    throw new ConfigError([
      `.env: cannot be read (${code}). Make it a file that this user may read, or remove it.`,
    ]);
  }
}

function readVariables(names: readonly VariableName[], env: NodeJS.ProcessEnv, mode: Mode) {
  const values: Record<string, unknown> = {};
  const sources = {} as Record<VariableName, Source>;
  const faults = new Map<string, string>();
  for (const name of names) {
    const { value, source, fault } = readVariable(name, env, mode);
    values[name] = value;
    sources[name] = source;
    if (fault) faults.set(name, fault);
  }
  return { values, sources, faults };
}

function readVariable(
  name: VariableName,
  env: NodeJS.ProcessEnv,
  mode: Mode,
): { value: unknown; source: Source; fault?: string } {
  const { schema, ...variable } = variables[name] as {
    schema: z.ZodType;
    fallback?: string;
    devFallback?: string;
  };
  const file = env[`${name}_FILE`];
  let text = env[name];
  let source: Source = 'environment';
  if (file && !text) {
    source = 'file';
    try {
      text = readFileSync(file, 'utf8').trim();
    } catch (error) {
      return { value: undefined, source, fault: `${name}_FILE: ${(error as Error).message}` };
    }
  }
  if (text === undefined || text === '') {
    text = mode === 'dev' ? (variable.devFallback ?? variable.fallback) : variable.fallback;
    source = text === undefined ? 'unset' : 'default';
  }
  if (text === undefined) return { value: undefined, source };
  const parsed = schema.safeParse(text, { error: wordsFor });
  if (parsed.success) return { value: parsed.data, source };
  const reasons = new Set(parsed.error.issues.map((issue) => issue.message));
  return { value: undefined, source, fault: `${name}: ${[...reasons].join('; ')}` };
}

/** What is right by itself but not together. */
function contradictions(config: Config): string[] {
  const faults: string[] = [];
  const need = (missing: boolean, fault: string) => missing && faults.push(fault);
  for (const { name, check } of storages)
    faults.push(...check(config, { isSelected: name === config.STORAGE }));
  need(
    config.PROVIDER === 'openai' && !config.OPENAI_API_KEY && config.roles.has('worker'),
    'OPENAI_API_KEY: needed because PROVIDER is openai',
  );
  need(
    config.MEDIA_TTL_S > config.RECORD_TTL_S,
    'MEDIA_TTL_S: must not be above RECORD_TTL_S, since images without a record cannot be found',
  );
  need(
    (config.API_KEYS ?? []).some(({ key }) => key === config.ADMIN_KEY),
    'API_KEYS, ADMIN_KEY: hold the same key: give the administrator one of its own',
  );
  const objection = config.REDIS_CLUSTER && objectionToCluster(config.REDIS_URL);
  need(Boolean(objection), `REDIS_URL, REDIS_CLUSTER: ${objection}`);
  if (config.mode === 'serve') {
    need(!config.REDIS_URL, 'REDIS_URL: needed. Only `darkroom dev` runs a Redis of its own');
    need(!config.SECRETS_KEY, 'SECRETS_KEY: needed, for example from: openssl rand -base64 32');
    need(
      !config.PROVIDER && !config.OPENAI_API_KEY && config.roles.has('worker'),
      'OPENAI_API_KEY: needed, or PROVIDER=studio for offline images',
    );
  }
  return faults;
}

/** Why an address cannot be that of a cluster; empty when it can. */
function objectionToCluster(address: string | undefined): string {
  try {
    if (address) parseRedisTarget(address, { cluster: true });
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** A configuration for people: effective values with their sources, secrets hidden. */
export function describeConfig(config: Config): { name: string; value: string; source: Source }[] {
  return (Object.keys(variables) as VariableName[]).map((name) => {
    const value = name === 'ROLES' ? [...config.roles] : config[name as keyof Config];
    const secret = 'secret' in variables[name] && variables[name].secret;
    return { name, value: shown(value, Boolean(secret)), source: config.sources[name] };
  });
}

function shown(value: unknown, secret: boolean): string {
  if (value === undefined) return '';
  if (secret) return '(hidden)';
  return Array.isArray(value) ? value.join(',') : String(value);
}
