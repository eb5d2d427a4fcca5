import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { manageKeysOf } from '../support/managed-keys.ts';
import { connectMcp } from '../support/mcp-client.ts';
import { legacyRequester, openLegacy } from '../support/mcp-requests.ts';
import { queryRedis } from '../support/redis.ts';
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

  it('leave nothing in Redis by which a guess of their arguments could be confirmed without our secret', async () => {
    const key = await service.acme.get('/keys/self').expect(200);
    const digest = (text: string) => createHash('sha256').update(text).digest('base64url');
    const hour = () => Math.floor(Date.now() / 3_600_000);
    const args = { preview: false, prompt: 'A guess', wait_s: 0 };
    const hours = [hour()];
    await openLegacy(service, {
      id: 'guessed',
      method: 'tools/call',
      params: { name: 'generate_image', arguments: args },
    }).then((response) => response.text());
    hours.push(hour());
    const guesses = hours.map((each) =>
      digest(`mcp ${digest(JSON.stringify([key.body.id, each, 'guessed', args]))} 1`),
    );
    const names = await queryRedis(service.env.REDIS_URL ?? '', (redis) =>
      redis.keys(`*${service.env.REDIS_KEY_PREFIX}*:idem:*`),
    );
    expect(names).not.toEqual([]);
    expect(names.filter((name) => guesses.some((guess) => name.endsWith(guess)))).toEqual([]);
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

  it('are refused with `erased` if they repeat the key of an erased job, as over HTTP', async () => {
    const client = await connectMcp(service, { negotiation: 'auto' });
    const call = () =>
      client.callTool({
        name: 'generate_image',
        arguments: { prompt: 'An erased ibis', idempotency_key: 'erased-ibis', preview: false },
      });
    const { id } = (await call()).structuredContent as { id: string };
    await service.acme.delete(`/images/${id}`).expect(204);
    const repeated = await call();
    expect(repeated).toMatchObject({ isError: true, structuredContent: { error: { code: 'erased' } } });
    await service.acme
      .post('/images')
      .set('idempotency-key', 'erased-ibis')
      .send({ prompt: 'An erased ibis' })
      .expect(410);
  });

  it('end a wait with `unauthorized` if the key is disabled meanwhile', async () => {
    const keys = manageKeysOf(service.url);
    const _meta = { progressToken: 'p' };
    const waits = [
      (id: string) => ({ method: 'tasks/result', params: { taskId: id, _meta } }),
      (id: string) => ({
        method: 'tools/call',
        params: { name: 'get_image', arguments: { id, wait_s: 45 }, _meta },
      }),
    ];
    for (const waitOf of waits) {
      const { id: keyId, key } = await keys.create({ tenant: 'acme' });
      const request = legacyRequester(service, { key });
      const started = await request('tools/call', {
        name: 'generate_image',
        arguments: { prompt: 'A slow ibis [studio:latency=20000]', wait_s: 0 },
      });
      const id = String((started.result?.structuredContent as { id?: string } | undefined)?.id);
      const response = await openLegacy(service, waitOf(id), { key });
      const parts = response.body?.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
      // The wait has begun when its first progress arrives.
      expect((await parts?.next())?.value).toContain('notifications/progress');
      await keys.operator.patch(`/keys/${keyId}`).send({ disabled: true }).expect(200);
      let rest = '';
      for (let part = await parts?.next(); part && !part.done; part = await parts?.next()) rest += part.value;
      expect(rest).toContain('"code":"unauthorized"');
      await service.acme.post(`/images/${id}/cancel`);
    }
  });
});
