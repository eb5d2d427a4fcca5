import { redactUrl } from '../lib/redact-url.ts';
import { selectedProvider } from '../outbound/providers/registry.ts';
import type { Config, Source } from './config.ts';
import { type VariableName, variables } from './variables.ts';

/** A variable with its effective value. An unset variable may have a value that is `derived` from others. */
export interface DescribedValue {
  readonly name: string;
  readonly value: string;
  readonly source: Source | 'derived';
}

/** Returns the effective values with their sources, without secrets. */
export function describeConfig(config: Config): DescribedValue[] {
  const derived = derivedValues(config);
  return (Object.keys(variables) as VariableName[]).map((name) => {
    const effective = derived[name];
    if (config.sources[name] === 'unset' && effective) return { name, value: effective, source: 'derived' };
    const value = name === 'ROLES' ? [...config.roles] : config[name as keyof Config];
    const secret = 'secret' in variables[name] && variables[name].secret;
    return { name, value: shown(value, Boolean(secret)), source: config.sources[name] };
  });
}

/** Returns the values that unset variables have in effect. `dev` has its own Redis and creates its own secrets. */
function derivedValues(config: Config): Partial<Record<VariableName, string>> {
  const { DATA_DIR, PORT } = config;
  const own = {
    REDIS_URL: `the Redis of dev, data in ${DATA_DIR}/redis`,
    SECRETS_KEY: `(hidden), in ${DATA_DIR}/secrets-key`,
    DARKROOM_API_KEY: `(hidden), in ${DATA_DIR}/dev-api-key`,
  };
  return {
    PROVIDER: selectedProvider(config).name,
    PUBLIC_URL: 'the address of each request',
    DARKROOM_URL: `http://localhost:${PORT}`,
    ...(config.mode === 'dev' ? own : {}),
  };
}

function shown(value: unknown, secret: boolean): string {
  if (value === undefined) return '';
  if (secret) return '(hidden)';
  return Array.isArray(value) ? value.join(',') : redactUrl(String(value));
}
