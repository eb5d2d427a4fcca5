import type { Config } from '../config/config.ts';
import { type ApiKeyRecord, operatorTenant, type Scope } from '../domain/api-key.ts';
import { digestHex } from '../lib/crypto/api-key-text.ts';
import { createKeyedDigest } from '../lib/crypto/keyed-digest.ts';
import type { BootstrapKeys } from '../usecases/access/authenticate.ts';
import type { Environment } from './local.ts';

const userScopes: readonly Scope[] = ['images:write', 'images:read', 'webhooks'];
const idLength = 16;

/**
 * Returns the keys that come from the configuration instead of the store. The id of such a key depends on its text alone, so
 * that usage stays with its key if the list changes. The digest is keyed, because a short key could be guessed from its id.
 * The key of `dev` is the operator's unless ADMIN_KEY is set.
 */
export function bootstrapKeysOf(config: Config, environment: Environment): BootstrapKeys {
  const keyedDigest = createKeyedDigest(environment.secretsKey);
  const recordOf = (tenant: string, key: string, scopes: readonly Scope[]): ApiKeyRecord => ({
    version: 1,
    id: `key_bootstrap_${keyedDigest(`bootstrap key ${key}`).slice(0, idLength)}`,
    tenant,
    name: 'bootstrap',
    digest: digestHex(key),
    scopes: [...scopes],
    createdAt: 0,
  });
  const users = (config.API_KEYS ?? []).map(({ tenant, key }) => recordOf(tenant, key, userScopes));
  const dev = environment.devApiKey ? [recordOf('dev', environment.devApiKey, [...userScopes, 'admin'])] : [];
  const operator = config.ADMIN_KEY ? recordOf(operatorTenant, config.ADMIN_KEY, ['admin']) : undefined;
  const all = [...users, ...dev, ...(operator ? [operator] : [])];
  return {
    byDigest: new Map(all.map((record) => [record.digest, record])),
    operatorId: (operator ?? dev[0])?.id,
  };
}

/** Returns a warning if a key of the configuration is short, without the key; otherwise `null`. */
export function weakKeyOf({ API_KEYS, ADMIN_KEY }: Pick<Config, 'API_KEYS' | 'ADMIN_KEY'>): string | null {
  const isWeak = [...(API_KEYS ?? []).map(({ key }) => key), ADMIN_KEY].some((key) => key && key.length < 16);
  return isWeak
    ? 'API_KEYS or ADMIN_KEY holds a key of fewer than 16 characters, which can be guessed'
    : null;
}
