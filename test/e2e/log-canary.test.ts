import { describe, expect, it, onTestFinished } from 'vitest';
import type { Caller } from '../support/caller.ts';
import { queryRedis, startTestRedis } from '../support/redis.ts';
import { createEnvironment, testKeys } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';
import { startEndpointServer } from '../support/webhook-endpoints.ts';

const canary = 'canary-4f1d';

/** Sends MCP requests whose body and headers disagree. */
async function sendRefusedMcp(acme: Caller): Promise<void> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: canary, version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  for (const [method, params] of [
    [canary, {}],
    ['tools/call', { name: canary, arguments: { prompt: canary } }],
  ] as const) {
    await acme
      .post('/mcp')
      .set({ accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28' })
      .set({ 'mcp-method': 'tools/call', 'mcp-name': 'generate_image' })
      .send({ jsonrpc: '2.0', id: 1, method, params: { _meta, ...params } })
      .expect(400);
  }
}

describe('the log', () => {
  it('the log never contains a prompt, a key, a link or a secret', async () => {
    const environment = await createEnvironment({
      WEBHOOK_ALLOW_PRIVATE: 'true',
      WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 9).toString('base64')}`,
    });
    const endpointServer = await startEndpointServer((_request, response) =>
      response.writeHead(500).end(canary),
    );
    const service = await startServiceProcess(environment.env);
    onTestFinished(async () => {
      await service.stop();
      await endpointServer.close();
      await environment.remove();
    });
    const { acme } = service;

    const good = await acme.generate({
      prompt: `A fox ${canary}`,
      metadata: { note: canary },
      enhance: 'always',
      webhook: { url: `http://127.0.0.1:${endpointServer.port}/${canary}` },
    });
    await acme.image(good.id);
    await acme.generate({ prompt: `${canary} [studio:moderation]` });
    await acme.generate({ prompt: `${canary} [studio:truncated]`, on_uncertain: 'fail' });
    await acme.generate({ prompt: `${canary} [studio:enhance-error=500]`, enhance: 'always' });
    await acme.post('/images').send({ prompt: canary, size: canary }).expect(422);
    await acme
      .post('/images')
      .set('content-type', 'application/json')
      .send(`{"prompt": "${canary}`)
      .expect(400);
    await acme.get(`/images/${canary}`).expect(404);
    await acme.get(`/images/${canary}?token=${canary}`).expect(422);
    await sendRefusedMcp(acme);
    await service.stop();

    expect(service.log.length).toBeGreaterThan(10);
    const signature = new URL(good.images[0]?.url ?? '').searchParams.get('signature') ?? '';
    expect(signature).not.toBe('');
    for (const secret of [
      canary,
      testKeys.acme,
      signature,
      String(environment.env.OPENAI_API_KEY),
      String(environment.env.SECRETS_KEY),
      String(environment.env.WEBHOOK_SECRET),
    ]) {
      expect(service.log.filter((line) => line.includes(secret))).toEqual([]);
    }
  });

  it('the log of a refused Redis write does not contain the arguments of the command', async () => {
    const redis = await startTestRedis();
    const environment = await createEnvironment({ REDIS_URL: redis.url, ROLES: 'api' });
    const service = await startServiceProcess(environment.env);
    onTestFinished(async () => {
      await service.stop();
      await environment.remove();
      await redis.stop();
    });
    // The first request of a tenant uses another command.
    await service.acme.submit({ prompt: 'A fox' });
    await queryRedis(redis.url, (client) => client.config('SET', 'maxmemory', '1'));
    const request = {
      prompt: canary,
      metadata: { note: canary },
      webhook: { url: `https://example.com/${canary}` },
    };
    await service.acme.post('/images').send(request).expect(503);
    await service.stop();
    expect(service.log.filter((line) => line.includes('OOM command not allowed'))).not.toEqual([]);
    expect(service.log.filter((line) => line.includes(canary))).toEqual([]);
  });
});
