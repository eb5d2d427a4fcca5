import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { z } from 'zod';
import { parseRedisTarget } from '../lib/redis/redis-target.ts';
import { systemCode } from '../lib/system-code.ts';
import type { ValuesOf } from '../lib/variable.ts';
import { providers, selectedProvider } from '../outbound/providers/registry.ts';
import { storages } from '../outbound/storage/registry.ts';
import { modelFaults, readCatalogue } from './model-faults.ts';
import { wordsFor } from './values.ts';
import { namesOf, type Role, roles, type VariableName, variables } from './variables.ts';

/** Purpose of the configuration: `serve` and `dev` run the service, `tool` inspects it. */
export type Mode = 'serve' | 'dev' | 'tool';

type Values = ValuesOf<typeof variables>;

/** Origin of a value. */
export type Source = 'environment' | 'file' | 'default' | 'unset';

export interface Config extends Omit<Values, 'ROLES'> {
  readonly mode: Mode;
  readonly roles: ReadonlySet<Role>;
  readonly sources: Readonly<Record<VariableName, Source>>;
}

/** Every fault of a configuration, one line each. */
export class ConfigError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The configuration is not usable:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/**
 * Reads the configuration. White space at the ends of a value is removed, and an empty value counts as absent.
 *
 * @throws ConfigError with the faults of all variables.
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
  // A contradiction with a faulty variable may be a result of its fault.
  const isSound = (fault: string) => !fault.match(/\w+/g)?.some((word) => faults.has(word));
  const all = [...faults.values(), ...contradictions(config).filter(isSound)];
  if (all.length > 0) throw new ConfigError(all);
  return config;
}

/** Returns every fault of a configuration, one line each. Empty if `loadConfig` accepts it. */
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
 * Reads some variables, for a program that must not fail for others.
 *
 * @throws ConfigError with the faults of these variables.
 */
export function loadValues<Name extends keyof Config & VariableName>(
  names: readonly Name[],
  env: NodeJS.ProcessEnv,
): Pick<Config, Name> {
  const { values, faults } = readVariables(names, env, 'tool');
  if (faults.size > 0) throw new ConfigError([...faults.values()]);
  return values as Pick<Config, Name>;
}

/** Returns the mode that is intended here: `serve` if Redis is named or NODE_ENV is `production`, otherwise `dev`. */
export function intendedMode(env: NodeJS.ProcessEnv): 'serve' | 'dev' {
  const { values, sources } = readVariables(['NODE_ENV', 'REDIS_URL'], env, 'tool');
  return values.NODE_ENV === 'production' || sources.REDIS_URL !== 'unset' ? 'serve' : 'dev';
}

/**
 * Returns the environment of the process, completed by the `.env` file in the working folder. A variable in both comes from
 * the environment, also if the two name it differently, such as `NAME` and `NAME_FILE`.
 *
 * @throws ConfigError if the file exists and cannot be read.
 */
export function processEnv(): NodeJS.ProcessEnv {
  const given = { ...process.env };
  for (const [name, value] of Object.entries(parseEnv(environmentFile()))) {
    if (!namesOf(name).some((other) => withoutBlankEnds(given[other] ?? ''))) process.env[name] ??= value;
  }
  // On Node 20 the AWS SDK warns of its future versions. The pinned version supports Node 20.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  return process.env;
}

/** Returns the protocol for images of the terminal that runs this process, if it is known to have one. */
export function terminalImages({ TERM, TERM_PROGRAM, KITTY_WINDOW_ID }: NodeJS.ProcessEnv) {
  if (KITTY_WINDOW_ID || TERM === 'xterm-kitty' || TERM_PROGRAM === 'ghostty') return 'kitty';
  if (TERM_PROGRAM === 'iTerm.app' || TERM_PROGRAM === 'WezTerm') return 'iterm2';
  return undefined;
}

function environmentFile(): string {
  try {
    // Some editors begin a file with a byte order mark, which would become part of the first name.
    return readFileSync('.env', 'utf8').replace(/^\uFEFF/, '');
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
    otherName?: string;
  };
  const read = (each: string) => withoutBlankEnds(env[each] ?? '');
  const file = read(`${name}_FILE`);
  let text = read(name) || read(variable.otherName ?? name);
  let source: Source = 'environment';
  if (file && !text) {
    source = 'file';
    try {
      text = withoutBlankEnds(readFileSync(file, 'utf8'));
    } catch (error) {
      return { value: undefined, source, fault: `${name}_FILE: ${(error as Error).message}` };
    }
  }
  const malformed = text && formFault(text);
  if (malformed) return { value: undefined, source, fault: `${name}: ${malformed}` };
  if (text === '') {
    const fallback = mode === 'dev' ? (variable.devFallback ?? variable.fallback) : variable.fallback;
    if (fallback === undefined) return { value: undefined, source: 'unset' };
    text = fallback;
    source = 'default';
  }
  const parsed = schema.safeParse(text, { error: wordsFor });
  if (parsed.success) return { value: parsed.data, source };
  const reasons = new Set(parsed.error.issues.map((issue) => issue.message));
  return { value: undefined, source, fault: `${name}: ${[...reasons].join('; ')}` };
}

/** White space, and invisible characters that text editors and web pages add. */
const blank = /\s|\u200b|\u200c|\u200d|\u2060|\ufeff/;

function withoutBlankEnds(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && blank.test(text.charAt(from))) from += 1;
  while (to > from && blank.test(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

const quotes = `"'\`\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb`;

/**
 * Returns the fault of a value that no variable accepts. They come from mounted files, from shells that keep quotes, and from
 * files in another encoding than UTF-8.
 */
function formFault(text: string): string | null {
  if (text.includes('\0') || text.includes('\ufffd')) return 'must be UTF-8 text';
  if (/[\r\n\u2028\u2029]/.test(text)) return 'must not contain a line break';
  if (/\p{Cc}/u.test(text)) return 'must not contain control characters';
  if (quotes.includes(text.at(0) ?? '-') || quotes.includes(text.at(-1) ?? '-'))
    return 'must not be in quotes';
  return null;
}

/** Returns the faults of values that are valid alone and not together. */
function contradictions(config: Config): string[] {
  const faults: string[] = [];
  const need = (missing: boolean, fault: string) => missing && faults.push(fault);
  for (const { name, check } of storages)
    faults.push(...check(config, { isSelected: name === config.STORAGE }));
  for (const { name, check } of providers) {
    const isSelected = name === config.PROVIDER;
    faults.push(...check(config, { isSelected, makesCalls: config.roles.has('worker') }));
  }
  need(
    config.MEDIA_TTL_S > config.RECORD_TTL_S,
    'MEDIA_TTL_S: must not be above RECORD_TTL_S, since images without a record cannot be found',
  );
  need(
    (config.API_KEYS ?? []).some(({ key }) => key === config.ADMIN_KEY),
    'API_KEYS, ADMIN_KEY: hold the same key. Set another ADMIN_KEY',
  );
  // A model that shuts down later is a warning, because a restart must not fail on that day.
  if (config.mode !== 'tool')
    faults.push(...modelFaults(config, readCatalogue(config), ({ status }) => status === 'retired'));
  const objection = config.REDIS_CLUSTER && objectionToCluster(config.REDIS_URL);
  need(Boolean(objection), `REDIS_URL, REDIS_CLUSTER: ${objection}`);
  if (config.mode === 'serve') {
    need(!config.REDIS_URL, 'REDIS_URL: needed. Only `darkroom dev` starts its own Redis');
    need(!config.SECRETS_KEY, 'SECRETS_KEY: needed, for example from: openssl rand -base64 32');
    need(
      !config.PROVIDER && !selectedProvider(config).isLive && config.roles.has('worker'),
      'OPENAI_API_KEY: needed, or PROVIDER=studio for offline images',
    );
  }
  return faults;
}

/** Returns the reason why an address cannot belong to a cluster; empty if it can. */
function objectionToCluster(address: string | undefined): string {
  try {
    if (address) parseRedisTarget(address, { cluster: true });
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
