import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import { backgroundProvider } from '../support/background-calls.ts';
import { noiseImage } from '../support/images.ts';
import {
  collector,
  contextOf,
  drain,
  failureOf,
  imageCall,
  watchedSignal,
} from '../support/provider-calls.ts';
import { respondWith, type Script, serve, startScriptedServer } from '../support/scripted-server.ts';

/** Tests the provider against scripted servers. background-images.test.ts tests it against the studio. */

type Members = Record<string, unknown>;

const queued = { id: 'resp_1', object: 'response', status: 'queued', output: [] };
const failed = (error: Members) => ({ ...queued, status: 'failed', error });
async function completed(rest: Members = {}) {
  const result = (await noiseImage(64, 64)).toString('base64');
  return { ...queued, status: 'completed', output: [{ type: 'image_generation_call', result }], ...rest };
}

/** Responds to the submission with an id and to each poll with the next script. The last script repeats. */
function background(...questions: Script[]): Script {
  let asked = 0;
  return (response, request, index) => {
    if (request.method === 'POST') return respondWith(200, queued)(response, request, index);
    const script = questions[Math.min(asked, questions.length - 1)];
    asked += 1;
    script?.(response, request, index);
  };
}

const call = imageCall('Ein Fuchs 🦊 auf dem „Marktplatz“, 猫');
const methods = (server: { seen: readonly { method: string }[] }) => server.seen.map(({ method }) => method);

describe('a submission', () => {
  it('submits one request with the unchanged prompt and stores its id before the first poll', async () => {
    const server = await serve(background(respondWith(200, await completed(), { 'x-request-id': 'req_9' })));
    const provider = backgroundProvider(server.url);
    const { sink, bytes } = collector();
    let seenAtHandle = 0;
    const head = await provider.generate(
      call,
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
      input: call.prompt,
      background: true,
      tools: [{ type: 'image_generation', model: 'gpt-image-2', ...call.parameters }],
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
  ])('makes a submission once and classifies its response: %i %s', async (status, body, kind, code) => {
    const server = await serve(respondWith(status, body, { 'x-request-id': 'req_9' }));
    const failure = await failureOf(backgroundProvider(server.url).generate(call, contextOf(), drain));
    expect(failure).toMatchObject({ kind, code, provider: { status, request_id: 'req_9' } });
    expect(methods(server)).toEqual(['POST']);
  });

  it('refuses a submission without sending it if no server listens or the caller aborted before', async () => {
    const server = await startScriptedServer(() => undefined);
    await server.close();
    const provider = backgroundProvider(server.url);
    const nothingSent = { kind: 'refused', code: 'provider_unreachable', billing: 'none' };
    expect(await failureOf(provider.generate(call, contextOf(), drain))).toMatchObject(nothingSent);
    const signal = AbortSignal.abort('canceled');
    expect(await failureOf(provider.generate(call, contextOf({ signal }), drain))).toMatchObject(nothingSent);
  });

  it('marks a submission as uncertain if the connection breaks before the id arrives, and does not repeat it', async () => {
    for (const script of [
      (response) => response.destroy(),
      (response) =>
        response.writeHead(200, { 'content-length': 100 }).write('{"id":', () => response.destroy()),
    ] satisfies Script[]) {
      const server = await serve(script);
      const failure = await failureOf(backgroundProvider(server.url).generate(call, contextOf(), drain));
      expect(failure).toMatchObject({ kind: 'uncertain', billing: 'possible' });
      expect(methods(server)).toEqual(['POST']);
    }
  });

  it('accepts a response that the server completes at once, and stores its id first', async () => {
    const whole = JSON.stringify(await completed());
    const server = await serve(respondWith(200, whole));
    const { sink, bytes } = collector();
    const steps: string[] = [];
    await backgroundProvider(server.url).generate(
      call,
      contextOf({ onHandle: async (handle) => void steps.push(handle) }),
      (head, body) => {
        steps.push('sink');
        return sink(head, body);
      },
    );
    expect(steps).toEqual(['resp_1', 'sink']);
    expect(bytes().toString()).toBe(whole);
    expect(methods(server)).toEqual(['POST']);
  });

  it('stops a submission at the provider if its handle is rejected, and rethrows the reason', async () => {
    const server = await serve(background(respondWith(200, queued)));
    const overtaken = new AppError('already_terminal');
    const run = backgroundProvider(server.url).generate(
      call,
      contextOf({ onHandle: () => Promise.reject(overtaken) }),
      drain,
    );
    await expect(run).rejects.toBe(overtaken);
    expect(server.seen.map(({ path }) => path)).toEqual(['/v1/responses', '/v1/responses/resp_1/cancel']);
  });
});

describe('polls for a response', () => {
  it('repeats a poll after any failure, for one image of one submission', async () => {
    const whole = JSON.stringify(await completed());
    const server = await serve(
      background(
        (response) => response.destroy(),
        respondWith(500, '{"error":{}}'),
        respondWith(502, '<html>bad gateway</html>'),
        respondWith(401, '{"error":{"code":"invalid_api_key"}}'),
        respondWith(404, '{"error":{}}'),
        respondWith(429, '{"error":{}}', { 'retry-after-ms': '20' }),
        respondWith(404, '{"error":{}}'),
        respondWith(404, '{"error":{}}'),
        respondWith(200, '<html>a page of a proxy</html>'),
        respondWith(200, '{"id":"resp_1","sta'),
        respondWith(302, '', { location: '/v1/elsewhere' }),
        respondWith(200, { ...queued, status: 'in_progress' }),
        (response) => {
          response.writeHead(200, { 'content-length': whole.length });
          response.write(whole.slice(0, whole.length >> 1), () => response.destroy());
        },
        respondWith(200, whole),
      ),
    );
    const { sink, bytes } = collector();
    const provider = backgroundProvider(server.url);
    await provider.generate(call, contextOf(), sink);
    expect(bytes().toString()).toBe(whole);
    expect(methods(server)).toEqual(['POST', ...Array(14).fill('GET')]);
  });

  it('shares a connection between polls, and never reuses one for a submission', async () => {
    const server = await serve(
      background(respondWith(200, queued), respondWith(200, queued), respondWith(200, await completed())),
    );
    const provider = backgroundProvider(server.url);
    await provider.generate(call, contextOf(), drain);
    expect(server.sockets()).toBe(2);
    await provider.generate(call, contextOf(), drain);
    expect(server.sockets()).toBe(3);
    expect(server.seen[0]?.headers.connection).toBe('close');
  });

  it('stops polling if the provider repeatedly does not know the response', async () => {
    const server = await serve(
      respondWith(404, '{"error":{"message":"Response with id resp_1 not found."}}'),
    );
    const failure = await failureOf(backgroundProvider(server.url).resume('resp_1', contextOf(), drain));
    expect(failure).toMatchObject({
      kind: 'uncertain',
      code: 'provider_outcome_unknown',
      billing: 'possible',
      provider: { status: 404 },
    });
    expect(failure.message).toContain('does not know this call');
    expect(methods(server)).toEqual(['GET', 'GET', 'GET']);
  });

  it('stops polling with the error of a failed response', async () => {
    const blocked = {
      code: 'moderation_blocked',
      message: 'Blocked.',
      moderation_details: { categories: ['violence'], moderation_stage: 'input' },
    };
    const server = await serve(background(respondWith(200, queued), respondWith(200, failed(blocked))));
    const failure = await failureOf(backgroundProvider(server.url).generate(call, contextOf(), drain));
    expect(failure).toMatchObject({
      kind: 'final',
      code: 'moderation_blocked',
      billing: 'none',
      provider: { categories: ['violence'] },
    });
    expect(methods(server)).toEqual(['POST', 'GET', 'GET']);
  });

  it('stops polling if the response is too large, because another poll would return the same size', async () => {
    const server = await serve(background(respondWith(200, await completed())));
    const provider = backgroundProvider(server.url, { maxResponseBytes: 5_000 });
    expect(await failureOf(provider.generate(call, contextOf(), drain))).toMatchObject({
      kind: 'unusable',
      message: expect.stringContaining('larger than 5000 bytes'),
    });
    expect(methods(server)).toEqual(['POST', 'GET']);
  });

  it('stops polling with the unchanged error of the sink, and does not cancel the response', async () => {
    const server = await serve(background(respondWith(200, await completed())));
    const full = new AppError('storage_failed', { detail: 'The disk is full.' });
    const run = backgroundProvider(server.url).generate(call, contextOf(), async (_head, body) => {
      for await (const _ of body) throw full;
    });
    await expect(run).rejects.toBe(full);
    expect(methods(server)).toEqual(['POST', 'GET']);
  });
});

describe('aborting a background call', () => {
  const unknown = { kind: 'uncertain', code: 'provider_outcome_unknown', billing: 'possible' };
  const stopped = '/v1/responses/resp_1/cancel';

  it.each([
    ['canceled', true],
    ['run_timeout', true],
    ['draining', false],
    ['lock_lost', false],
  ])('stops the work at the provider depending on the reason %s: %s', async (reason, stops) => {
    const server = await serve(background(respondWith(200, queued)));
    const caller = new AbortController();
    const run = failureOf(
      backgroundProvider(server.url).generate(call, contextOf({ signal: caller.signal }), drain),
    );
    await server.arrived(3);
    caller.abort(reason);
    expect(await run).toMatchObject(unknown);
    expect(server.seen.some(({ path }) => path === stopped)).toBe(stops);
  });

  it('stops the work at the provider at the deadline and reports the result of the last poll', async () => {
    const server = await serve(background(respondWith(401, '{"error":{"code":"invalid_api_key"}}')));
    const run = backgroundProvider(server.url).generate(call, contextOf({ timeoutMs: 2_000 }), drain);
    expect(await failureOf(run)).toMatchObject({
      ...unknown,
      provider: { status: 401, code: 'invalid_api_key' },
    });
    expect(server.seen.at(-1)?.path).toBe(stopped);
  });

  it('ends a hanging poll at once', async () => {
    const server = await serve(background(() => undefined));
    const caller = new AbortController();
    const run = failureOf(
      backgroundProvider(server.url).resume('resp_1', contextOf({ signal: caller.signal }), drain),
    );
    await server.arrived(1);
    caller.abort('draining');
    expect(await run).toMatchObject(unknown);
    await server.seen[0]?.closed;
    expect(methods(server)).toEqual(['GET']);
  });

  it('waits for the id after a submission, stores it, and then stops or leaves the work', async () => {
    for (const [reason, paths] of [
      ['canceled', ['/v1/responses', stopped]],
      ['draining', ['/v1/responses']],
    ] as const) {
      const caller = new AbortController();
      const server = await serve((response, request, index) => {
        if (request.path === stopped) return respondWith(200, queued)(response, request, index);
        caller.abort(reason);
        setTimeout(() => respondWith(200, queued)(response, request, index), 50);
      });
      const handles: string[] = [];
      const run = backgroundProvider(server.url).generate(
        call,
        contextOf({ signal: caller.signal, onHandle: async (handle) => void handles.push(handle) }),
        drain,
      );
      expect(await failureOf(run)).toMatchObject(unknown);
      expect(handles).toEqual(['resp_1']);
      expect(server.seen.map(({ path }) => path)).toEqual(paths);
    }
  });

  it('ends calls without stopping the work when the provider is closed', async () => {
    const server = await serve(background(respondWith(200, queued)));
    const provider = backgroundProvider(server.url);
    const run = failureOf(provider.generate(call, contextOf(), drain));
    await server.arrived(3);
    await provider.close();
    expect(await run).toMatchObject(unknown);
    expect(server.seen.map(({ path }) => path)).not.toContain(stopped);
  });

  it('never fails to cancel or close if the provider refuses to stop the work', async () => {
    const server = await serve((response) => response.destroy());
    const provider = backgroundProvider(server.url);
    provider.cancel('resp_1');
    await provider.close();
    await server.close();
    const other = backgroundProvider(server.url);
    other.cancel('resp_1');
    await other.close();
    expect(server.seen.map(({ path }) => path)).toEqual([stopped]);
  });

  it('leaves no listener on the signal of its caller', async () => {
    const server = await serve(background(respondWith(200, queued), respondWith(200, await completed())));
    const { signal, listeners } = watchedSignal();
    await backgroundProvider(server.url).generate(call, contextOf({ signal }), drain);
    expect(listeners()).toBe(0);
  });
});

describe('the account', () => {
  it('checks the account without cost', async () => {
    const server = await serve(respondWith(200, '{"data":[]}'));
    expect(await backgroundProvider(server.url).check()).toContain('accepts the key');
    expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /v1/models']);
  });
});
