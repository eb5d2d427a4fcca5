import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import { backgroundProvider } from '../support/background-calls.ts';
import { collector, contextOf, drain, failureOf } from '../support/provider-calls.ts';
import { background, backgroundCall, completed, methodsOf, queued } from '../support/responses-scripts.ts';
import { respondWith, type Script, serve, startScriptedServer } from '../support/scripted-server.ts';

/** Tests the provider against scripted servers. background-images.test.ts tests it against the studio. */

describe('a submission', () => {
  it('submits one request with the unchanged prompt and stores its id before the first poll', async () => {
    const server = await serve(background(respondWith(200, await completed(), { 'x-request-id': 'req_9' })));
    const provider = backgroundProvider(server.url);
    const { sink, bytes } = collector();
    let seenAtHandle = 0;
    const head = await provider.generate(
      backgroundCall,
      contextOf({
        traceparent: '00-aa-bb-01',
        onHandle: async (handle) => {
          expect(handle).toBe('resp_1');
          await new Promise((resolve) => setTimeout(resolve, 30));
          seenAtHandle = server.seen.length;
        },
      }),
      sink,
    );
    expect(head).toEqual({ providerRequestId: 'req_9' });
    expect(seenAtHandle).toBe(1);
    expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v1/responses',
      'GET /v1/responses/resp_1',
    ]);
    expect(JSON.parse(server.seen[0]?.body ?? '')).toMatchObject({
      model: 'gpt-5.4-mini',
      input: backgroundCall.prompt,
      background: true,
      tools: [{ type: 'image_generation', model: 'gpt-image-2', ...backgroundCall.parameters }],
    });
    for (const { headers } of server.seen) {
      expect(headers).toMatchObject({
        authorization: 'Bearer sk-test-000',
        'x-client-request-id': 'img_1-1',
        traceparent: '00-aa-bb-01',
        'x-stainless-retry-count': '0',
      });
    }
    expect(bytes().toString()).toBe(JSON.stringify(await completed()));
  });

  it.each([
    [500, '{"error":{"code":"server_error","message":"x"}}', 'uncertain', 'provider_outcome_unknown'],
    [408, '', 'uncertain', 'provider_outcome_unknown'],
    [429, '{"error":{"code":"rate_limit_exceeded"}}', 'refused', 'provider_rate_limited'],
    [429, '{"error":{"code":"insufficient_quota"}}', 'stopped', 'provider_quota_exhausted'],
    [503, '{"error":{"code":"server_is_overloaded"}}', 'refused', 'provider_overloaded'],
    [401, '{"error":{"code":"invalid_api_key"}}', 'stopped', 'provider_unauthorized'],
    [400, '{"error":{"code":"moderation_blocked","message":"x"}}', 'final', 'moderation_blocked'],
    [400, '{"error":{"code":"unknown_parameter","message":"x"}}', 'final', 'provider_rejected'],
    [200, '<html></html>', 'unusable', 'provider_unusable_answer'],
    [200, '{"object":"response","status":"queued"}', 'unusable', 'provider_unusable_answer'],
    [200, '{"id":"../models","status":"queued"}', 'unusable', 'provider_unusable_answer'],
    [200, '{"code":"insufficient_user_quota","message":"x"}', 'stopped', 'provider_quota_exhausted'],
    [200, '{"err":{"code":"moderation_blocked"}}', 'final', 'moderation_blocked'],
    [200, '[{"error":{"code":"moderation_blocked"}}]', 'final', 'moderation_blocked'],
    [200, 'Your request was rejected by our safety system.', 'final', 'moderation_blocked'],
    [200, '{"metadata":{"code":"insufficient_quota"}}', 'unusable', 'provider_unusable_answer'],
  ])('makes a submission once and classifies its response: %i %s', async (status, body, kind, code) => {
    const server = await serve(respondWith(status, body, { 'x-request-id': 'req_9' }));
    const failure = await failureOf(
      backgroundProvider(server.url).generate(backgroundCall, contextOf(), drain),
    );
    expect(failure).toMatchObject({ kind, code, provider: { status, request_id: 'req_9' } });
    expect(methodsOf(server)).toEqual(['POST']);
  });

  it('refuses a submission without sending it if no server listens or the caller aborted before', async () => {
    const server = await startScriptedServer(() => undefined);
    await server.close();
    const provider = backgroundProvider(server.url);
    const nothingSent = { kind: 'refused', code: 'provider_unreachable', billing: 'none' };
    expect(await failureOf(provider.generate(backgroundCall, contextOf(), drain))).toMatchObject(nothingSent);
    const signal = AbortSignal.abort('canceled');
    expect(await failureOf(provider.generate(backgroundCall, contextOf({ signal }), drain))).toMatchObject(
      nothingSent,
    );
  });

  it('marks a submission as uncertain if the connection breaks before the id arrives, and does not repeat it', async () => {
    for (const script of [
      (response) => response.destroy(),
      (response) =>
        response.writeHead(200, { 'content-length': 100 }).write('{"id":', () => response.destroy()),
    ] satisfies Script[]) {
      const server = await serve(script);
      const failure = await failureOf(
        backgroundProvider(server.url).generate(backgroundCall, contextOf(), drain),
      );
      expect(failure).toMatchObject({ kind: 'uncertain', billing: 'possible' });
      expect(methodsOf(server)).toEqual(['POST']);
    }
  });

  it('accepts a response that the server completes at once, and stores its id first', async () => {
    const whole = JSON.stringify(await completed());
    const server = await serve(respondWith(200, whole));
    const { sink, bytes } = collector();
    const steps: string[] = [];
    await backgroundProvider(server.url).generate(
      backgroundCall,
      contextOf({ onHandle: async (handle) => void steps.push(handle) }),
      (head, body) => {
        steps.push('sink');
        return sink(head, body);
      },
    );
    expect(steps).toEqual(['resp_1', 'sink']);
    expect(bytes().toString()).toBe(whole);
    expect(methodsOf(server)).toEqual(['POST']);
  });

  it('stops a submission at the provider if its handle is rejected, and rethrows the reason', async () => {
    const server = await serve(background(respondWith(200, queued)));
    const overtaken = new AppError('already_terminal');
    const run = backgroundProvider(server.url).generate(
      backgroundCall,
      contextOf({ onHandle: () => Promise.reject(overtaken) }),
      drain,
    );
    await expect(run).rejects.toBe(overtaken);
    expect(server.seen.map(({ path }) => path)).toEqual(['/v1/responses', '/v1/responses/resp_1/cancel']);
  });
});

describe('the account', () => {
  it('checks the account without cost', async () => {
    const server = await serve(respondWith(200, '{"data":[]}'));
    expect(await backgroundProvider(server.url).check()).toContain('accepts the key');
    expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /v1/models']);
  });
});
