import { describe, expect, it } from 'vitest';
import { verdictOnError } from '../../src/outbound/webhooks/attempt-outcome.ts';
import { createPublicResolver } from '../../src/outbound/webhooks/resolve-name.ts';
import { startNameServer } from '../support/name-server.ts';

describe('the host name of an endpoint', () => {
  it('resolves the host name of an endpoint to all of its addresses', async () => {
    const { server } = await startNameServer((name) =>
      name === 'receiver.example' ? '192.0.2.7' : undefined,
    );
    const resolve = createPublicResolver([server]);
    expect(await resolve('receiver.example')).toEqual([{ address: '192.0.2.7', family: 4 }]);
  });

  it('distinguishes a missing host name from a name server that does not respond', async () => {
    const { server } = await startNameServer(() => undefined);
    const missing = await createPublicResolver([server])('missing.example').catch((error) => error);
    expect(verdictOnError(missing)).toMatchObject({
      outcome: 'dns_error',
      detail: expect.stringContaining('does not resolve'),
    });
    const away = await createPublicResolver(['127.0.0.1:1'])('missing.example').catch((error) => error);
    expect(verdictOnError(away)).toMatchObject({
      outcome: 'dns_error',
      detail: expect.stringContaining('did not respond'),
    });
  });

  it('resolves a host name at once, however many other lookups wait for a silent name server', async () => {
    const { server, asked } = await startNameServer((name) =>
      name.endsWith('.slow.example') ? null : '192.0.2.7',
    );
    const resolve = createPublicResolver([server]);
    let resolved = 0;
    const slow = Array.from({ length: 40 }, (_, i) =>
      resolve(`a${i}.slow.example`).catch(() => {
        resolved += 1;
      }),
    );
    expect(await resolve('fast.example')).toHaveLength(1);
    expect(resolved).toBe(0);
    await Promise.all(slow);
    expect(resolved).toBe(40);
    expect(new Set(asked).size).toBe(41);
  }, 20_000);
});
