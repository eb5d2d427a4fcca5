import { expect, it } from 'vitest';
import { createSendPermits } from '../../../../src/usecases/webhooks/send-permits.ts';

it('counts every spelling of a host as one host', async () => {
  const hosts = new Set<string>();
  const sendLimits = {
    claim: async ({ host, wanted }: { host: string; wanted: number }) => {
      hosts.add(host);
      return { granted: wanted, isFailing: true };
    },
    record: async (_tenant: string, host: string) => void hosts.add(host),
  };
  const limits = { perHost: 60, perTenant: 600 };
  const permits = createSendPermits({ sendLimits, clock: () => 0, limits }, 'acme');
  for (const host of ['hooks.example', 'HOOKS.example', 'hooks.example.', 'hooks.example:8443']) {
    await permits.admit([`https://${host}/a`], (url) => url);
    await permits.record(`https://${host}/a`, { status: 200, outcome: 'delivered' });
  }
  expect([...hosts]).toEqual(['hooks.example']);
});
