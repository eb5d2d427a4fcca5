import { beforeAll, describe, expect, it } from 'vitest';
import { connectMcp } from '../support/mcp-client.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService({ CORS_ORIGINS: 'https://app.example' });
  return service.close;
});

describe('requests to /mcp', () => {
  it('are refused without a valid key', async () => {
    await expect(connectMcp(service, { negotiation: 'auto', key: 'dkr_wrong' })).rejects.toThrow();
    const response = await fetch(new URL('/mcp', service.url), { method: 'POST', body: '{}' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('are refused to pages of foreign origins, as the protocol demands', async () => {
    const statusOf = async (origin: string) => {
      const response = await fetch(new URL('/mcp', service.url), {
        method: 'POST',
        headers: {
          ...{ origin, authorization: `Bearer ${testKeys.acme}`, 'content-type': 'application/json' },
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
      });
      const body = await response.text();
      return response.status === 200 ? 200 : [response.status, JSON.parse(body).code];
    };
    for (const origin of ['https://evil.example', 'http://localhost.evil.example', 'null']) {
      expect(await statusOf(origin), origin).toEqual([403, 'origin_not_allowed']);
    }
    for (const origin of ['https://app.example', 'http://localhost:6274', 'http://[::1]:1']) {
      expect(await statusOf(origin), origin).toBe(200);
    }
  });
});
