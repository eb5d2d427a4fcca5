import { Agent, request } from 'undici';
import { expect, it, onTestFinished } from 'vitest';
import { createKeyText } from '../../src/lib/crypto/api-key-text.ts';
import { startService } from '../support/service.ts';

const count = 600;

it('unknown keys from all addresses of an IPv6 network count together, and those of many networks do not', async () => {
  const { url, close } = await startService({ TRUST_PROXY: '127.0.0.1' });
  const dispatcher = new Agent({ connections: 50 });
  onTestFinished(async () => {
    await dispatcher.close();
    await close();
  });
  const statusesFrom = async (addressOf: (no: string) => string) => {
    const responses = Array.from({ length: count }, async (_, no) => {
      const { statusCode, body } = await request(`${url}/keys/self`, {
        dispatcher,
        headers: {
          authorization: `Bearer ${createKeyText().key}`,
          'x-forwarded-for': addressOf(no.toString(16)),
        },
      });
      await body.dump();
      return statusCode;
    });
    return new Set(await Promise.all(responses));
  };
  expect(await statusesFrom((no) => `2001:db8:0:1::${no}`)).toEqual(new Set([401, 429]));
  expect(await statusesFrom((no) => `2001:db8:1:${no}::1`)).toEqual(new Set([401]));
});
