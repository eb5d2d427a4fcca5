import { beforeAll, describe, expect, it } from 'vitest';
import type { ApiKeyRecord } from '../../src/domain/api-key.ts';
import type { ApiKeys } from '../../src/domain/ports.ts';
import { createApiKeys } from '../../src/outbound/records/api-keys.ts';
import { connectTestStore } from '../support/store.ts';

let apiKeys: ApiKeys;

beforeAll(async () => {
  const { redis, keys } = await connectTestStore();
  apiKeys = createApiKeys(redis, keys);
});

const keyOf = (id: string, fields: Partial<ApiKeyRecord> = {}): ApiKeyRecord => ({
  id,
  tenant: 'acme',
  name: 'app',
  digest: 'd'.repeat(64),
  scopes: ['images:read', 'images:write'],
  createdAt: 1,
  ...fields,
});

describe('API keys', () => {
  it('returns a stored API key unchanged by its id', async () => {
    const record = keyOf('key_1', { expiresAt: 99 });
    await apiKeys.put(record);
    expect(await apiKeys.get('key_1')).toEqual(record);
    expect(await apiKeys.get('key_unknown')).toBeNull();
  });

  it('replaces an API key that is stored again', async () => {
    await apiKeys.put(keyOf('key_2'));
    await apiKeys.put(keyOf('key_2', { revokedAt: 5 }));
    expect(await apiKeys.get('key_2')).toMatchObject({ revokedAt: 5 });
    expect((await apiKeys.list()).filter(({ id }) => id === 'key_2')).toHaveLength(1);
  });

  it('lists API keys by age, for all tenants or for one tenant', async () => {
    await apiKeys.put(keyOf('key_b', { tenant: 'beta', createdAt: 30 }));
    await apiKeys.put(keyOf('key_a', { tenant: 'beta', createdAt: 10 }));
    expect((await apiKeys.list('beta')).map(({ id }) => id)).toEqual(['key_a', 'key_b']);
    expect((await apiKeys.list()).length).toBeGreaterThanOrEqual(2);
    expect(await apiKeys.list('unknown')).toEqual([]);
  });
});
