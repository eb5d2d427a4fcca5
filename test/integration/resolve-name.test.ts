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

  it('resolves a host name soon if all name servers drop the questions for one family', async () => {
    for (const dropped of [4, 6]) {
      const servers = await Promise.all(
        Array.from({ length: 3 }, async () => {
          const address = dropped === 6 ? '192.0.2.7' : '2001:db8:0:0:0:0:0:7';
          const { server } = await startNameServer((_name, family) => (family === dropped ? null : address));
          return server;
        }),
      );
      const startedMs = performance.now();
      const found = await createPublicResolver(servers)('receiver.example');
      expect(found.map(({ family }) => family)).toEqual([dropped === 6 ? 4 : 6]);
      expect(performance.now() - startedMs).toBeLessThan(2_500);
    }
  });

  it('ends a lookup without a response before the time for a connection is over', async () => {
    const silent = await Promise.all(Array.from({ length: 3 }, () => startNameServer(() => null)));
    const startedMs = performance.now();
    const fault = await createPublicResolver(silent.map(({ server }) => server))('receiver.example').catch(
      (error) => error,
    );
    expect(performance.now() - startedMs).toBeLessThan(9_500);
    expect(verdictOnError(fault).detail).toContain('did not respond');
  }, 20_000);

  it('does not call a host name missing if it lacks one family and the other question got no response', async () => {
    const faults = [4, 6].map(async (lacking) => {
      const other = lacking === 6 ? '192.0.2.7' : '2001:db8:0:0:0:0:0:7';
      const { server } = await startNameServer((_name, family) => (family === lacking ? other : null));
      return createPublicResolver([server])('receiver.example').catch((error) => error);
    });
    for (const fault of await Promise.all(faults)) {
      expect(verdictOnError(fault).detail).toContain('did not respond');
    }
  }, 20_000);
});
