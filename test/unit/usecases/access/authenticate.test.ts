import { expect, it } from 'vitest';
import type { ApiKeyRecord } from '../../../../src/domain/api-key.ts';
import { createAuthenticate } from '../../../../src/usecases/access/authenticate.ts';

function connect() {
  let nowMs = 1_000_000;
  let reads = 0;
  const record: ApiKeyRecord = {
    id: 'valid',
    tenant: 'acme',
    name: 'test',
    digest: 'digest of valid',
    scopes: ['images:read'],
    createdAt: 0,
  };
  const authenticate = createAuthenticate({
    apiKeys: {
      async get(id) {
        reads += 1;
        return id === 'valid' ? record : null;
      },
    },
    signals: { onKeyChange: () => () => undefined },
    bootstrapKeys: new Map(),
    digest: (text) => `digest of ${text}`,
    sameDigest: (a, b) => a === b,
    keyIdOf: (key) => key,
    clock: () => nowMs,
  });
  return {
    authenticate,
    reads: () => reads,
    passTime(ms: number) {
      nowMs += ms;
    },
  };
}

it('reads the store 30 times for 3,000 unknown keys of one address, and other callers are not affected', async () => {
  const { authenticate, reads, passTime } = connect();
  await authenticate('valid', '10.0.0.1');
  const codes = new Map<string, number>();
  for (let i = 0; i < 3_000; i++) {
    const error = await authenticate(`unknown-${i}`, '10.0.0.1').catch((thrown) => thrown);
    codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
  }
  expect(Object.fromEntries(codes)).toEqual({ unauthorized: 30, too_many_requests: 2_970 });
  expect(reads()).toBe(31);
  // The limit does not affect a known key of the same address or any key of another address.
  expect((await authenticate('valid', '10.0.0.1')).tenant).toBe('acme');
  await expect(authenticate('unknown', '10.0.0.2')).rejects.toMatchObject({ code: 'unauthorized' });
  passTime(60_001);
  await expect(authenticate('unknown', '10.0.0.1')).rejects.toMatchObject({ code: 'unauthorized' });
});

it('reads the store once for a repeated unknown key', async () => {
  const { authenticate, reads } = connect();
  for (let i = 0; i < 50; i++) await authenticate('unknown', '10.0.0.1').catch(() => undefined);
  expect(reads()).toBe(1);
});
