import { expect, it } from 'vitest';
import type { PolicyName } from '../../../../src/domain/access-policy.ts';
import type { ApiKeyRecord } from '../../../../src/domain/api-key.ts';
import type { TenantRecord } from '../../../../src/domain/tenant.ts';
import { createAuthenticate } from '../../../../src/usecases/access/authenticate.ts';
import { createPolicyCache } from '../../../../src/usecases/access/policy-cache.ts';
import { createPolicyOf } from '../../../../src/usecases/access/policy-of.ts';
import { apiKeyOf } from '../../../support/api-keys.ts';

/** Connects the authentication to stores that count their reads. Messages are lost unless `publish` sends them. */
function connect() {
  let nowMs = 1_000_000;
  const reads = { keys: 0, tenants: 0, changes: 0 };
  const keys = new Map<string, ApiKeyRecord>();
  const tenants = new Map<string, TenantRecord>();
  const log: PolicyName[] = [];
  let listener: (changed: PolicyName) => void = () => undefined;
  let isDown = false;
  const read = <Result>(kind: keyof typeof reads, result: () => Result): Promise<Result> => {
    reads[kind] += 1;
    return isDown ? Promise.reject(new Error('down')) : Promise.resolve(result());
  };
  const clock = () => nowMs;
  const policies = createPolicyCache({
    apiKeys: { get: (id) => read('keys', () => keys.get(id) ?? null) },
    tenants: { get: (name) => read('tenants', () => tenants.get(name) ?? null) },
    changes: {
      read: (after) =>
        read('changes', () => ({
          position: String(log.length),
          changes: after === null ? [] : log.slice(Number(after)),
        })),
    },
    signals: {
      onPolicyChange(each) {
        listener = each;
        return () => undefined;
      },
    },
    clock,
  });
  const put = (id: string, fields: Partial<ApiKeyRecord> = {}) => {
    keys.set(id, apiKeyOf(id, { digest: `digest of ${id}`, ...fields }));
    log.push({ kind: 'key', name: id });
  };
  put('valid');
  return {
    authenticate: createAuthenticate({
      policies,
      recordUse: () => undefined,
      bootstrapKeys: { byDigest: new Map() },
      digest: (text) => `digest of ${text}`,
      sameDigest: (a, b) => a === b,
      keyIdOf: (key) => key.replace(/^old /, ''),
      clock,
    }),
    policyOf: createPolicyOf({ policies }),
    reads,
    put,
    putTenant(name: string, fields: Partial<TenantRecord>) {
      tenants.set(name, { version: 1, name, createdAt: 0, updatedAt: 0, ...fields });
      log.push({ kind: 'tenant', name });
    },
    publish: (changed: PolicyName) => listener(changed),
    breakStore() {
      isDown = true;
    },
    passTime(ms: number) {
      nowMs += ms;
    },
  };
}

const unauthorized = { code: 'unauthorized' };

it('reads the store 100 times for 3,000 unknown keys of one address in a second, and other callers are not affected', async () => {
  const { authenticate, reads, passTime } = connect();
  await authenticate('valid', '10.0.0.1');
  const codes = new Map<string, number>();
  for (let i = 0; i < 3_000; i++) {
    const error = await authenticate(`unknown-${i}`, '10.0.0.1').catch((thrown) => thrown);
    codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
  }
  expect(Object.fromEntries(codes)).toEqual({ unauthorized: 100, too_many_requests: 2_900 });
  expect(reads.keys).toBe(101);
  // The limit does not affect a known key of the same address or any key of another address.
  expect((await authenticate('valid', '10.0.0.1')).tenant).toBe('acme');
  await expect(authenticate('unknown', '10.0.0.2')).rejects.toMatchObject(unauthorized);
  passTime(1_001);
  await expect(authenticate('unknown', '10.0.0.1')).rejects.toMatchObject(unauthorized);
});

it('a caller at the address of many unknown keys is authenticated, also after its key left the cache', async () => {
  const { authenticate, put, passTime } = connect();
  await authenticate('valid', '10.0.0.1');
  for (let minute = 0; minute < 3; minute++) {
    passTime(60_000);
    // Behind a proxy that is not trusted all callers have one address.
    for (let i = 0; i < 60; i++)
      await authenticate(`unknown-${minute}-${i}`, '10.0.0.1').catch(() => undefined);
    put(`new-${minute}`);
    expect((await authenticate(`new-${minute}`, '10.0.0.1')).keyId).toBe(`new-${minute}`);
    for (let i = 60; i < 200; i++)
      await authenticate(`unknown-${minute}-${i}`, '10.0.0.1').catch(() => undefined);
    expect((await authenticate('valid', '10.0.0.1')).keyId).toBe('valid');
  }
});

it('looks up a key for an address that sent unknown keys before the clock was set back', async () => {
  const { authenticate, put, passTime } = connect();
  for (let i = 0; i < 101; i++) await authenticate(`unknown-${i}`, '10.0.0.1').catch(() => undefined);
  passTime(-3_600_000);
  put('another');
  expect((await authenticate('another', '10.0.0.1')).keyId).toBe('another');
});

it('reads the store once for a repeated unknown key', async () => {
  const { authenticate, reads } = connect();
  for (let i = 0; i < 50; i++) await authenticate('unknown', '10.0.0.1').catch(() => undefined);
  expect(reads.keys).toBe(1);
});

it('reads the log of changes once in 400 ms for 10,000 keys in use, and no key again', async () => {
  const { authenticate, reads, put, passTime } = connect();
  const ids = Array.from({ length: 10_000 }, (_, i) => `key-${i}`);
  for (const id of ids) put(id);
  for (const id of ids) await authenticate(id, '10.0.0.1');
  expect(reads).toEqual({ keys: 10_000, tenants: 1, changes: 1 });
  for (let i = 0; i < 10; i++) {
    for (const id of ids) await authenticate(id, '10.0.0.1');
    passTime(400);
  }
  expect(reads).toEqual({ keys: 10_000, tenants: 1, changes: 10 });
});

it.each([
  ['revoked', { revokedAt: 1 }],
  ['disabled', { disabled: true }],
  ['expired', { expiresAt: 1 }],
  ['replaced by a rotation without a grace period', { digest: 'another digest' }],
])('refuses a key within a second after it was %s, although the message was lost', async (_, fields) => {
  const { authenticate, put, passTime } = connect();
  await authenticate('valid', '10.0.0.1');
  put('valid', fields);
  passTime(1_000);
  await expect(authenticate('valid', '10.0.0.1')).rejects.toMatchObject(unauthorized);
});

it('refuses a revoked key within a second although the message was lost and the clock was set back', async () => {
  const { authenticate, put, passTime } = connect();
  await authenticate('valid', '10.0.0.1');
  passTime(-3_600_000);
  put('valid', { revokedAt: 1 });
  passTime(1_000);
  await expect(authenticate('valid', '10.0.0.1')).rejects.toMatchObject(unauthorized);
});

it('refuses a key at once if the message of its change arrives', async () => {
  const { authenticate, put, publish } = connect();
  await authenticate('valid', '10.0.0.1');
  put('valid', { disabled: true });
  await authenticate('valid', '10.0.0.1');
  publish({ kind: 'key', name: 'valid' });
  await expect(authenticate('valid', '10.0.0.1')).rejects.toMatchObject(unauthorized);
});

it('accepts both keys until the grace period of a rotation ends', async () => {
  const { authenticate, put, passTime } = connect();
  put('valid', { previous: [{ digest: 'digest of old valid', until: 1_060_000 }] });
  await authenticate('valid', '10.0.0.1');
  expect((await authenticate('old valid', '10.0.0.1')).keyId).toBe('valid');
  passTime(60_000);
  await authenticate('valid', '10.0.0.1');
  await expect(authenticate('old valid', '10.0.0.1')).rejects.toMatchObject(unauthorized);
});

it('refuses the keys of a suspended tenant within a second, and passes its rules to requests otherwise', async () => {
  const { authenticate, putTenant, passTime } = connect();
  expect((await authenticate('valid', '10.0.0.1')).policy.tenant).toEqual({});
  putTenant('acme', { weight: 3 });
  passTime(1_000);
  expect((await authenticate('valid', '10.0.0.1')).policy.tenant.weight).toBe(3);
  putTenant('acme', { suspended: true });
  passTime(1_000);
  await expect(authenticate('valid', '10.0.0.1')).rejects.toMatchObject({ code: 'tenant_suspended' });
});

it('returns the rules of a key and its tenant for a job, and no rules for an unknown key', async () => {
  const { policyOf, put, putTenant } = connect();
  put('capped', { limits: { queuedJobs: 5 } });
  putTenant('acme', { limits: { queuedJobs: 50 } });
  const policy = await policyOf('acme', 'capped');
  expect([policy.key.limits?.queuedJobs, policy.tenant.limits?.queuedJobs]).toEqual([5, 50]);
  expect((await policyOf('acme', 'unknown')).key).toEqual({});
  expect(await policyOf('other', 'capped')).toEqual({ key: {}, tenant: {} });
  expect((await policyOf('acme', undefined)).key).toEqual({});
});

it('serves cached keys for less than a second of an outage, then reports the outage', async () => {
  const { authenticate, breakStore, passTime } = connect();
  await authenticate('valid', '10.0.0.1');
  breakStore();
  passTime(700);
  expect((await authenticate('valid', '10.0.0.1')).keyId).toBe('valid');
  passTime(200);
  await expect(authenticate('valid', '10.0.0.1')).rejects.toThrow('down');
});
