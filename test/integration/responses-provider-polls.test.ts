import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import { backgroundProvider } from '../support/background-calls.ts';
import { collector, contextOf, drain, failureOf } from '../support/provider-calls.ts';
import {
  background,
  backgroundCall,
  completed,
  failed,
  methodsOf,
  queued,
} from '../support/responses-scripts.ts';
import { respondWith, serve } from '../support/scripted-server.ts';

/** Tests the provider against scripted servers. background-images.test.ts tests it against the studio. */

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
        respondWith(200, '', { 'content-length': '0' }),
        (response) => response.writeHead(200).end(),
        (response) => response.writeHead(204).end(),
        (response) => {
          response.writeHead(200, { connection: 'close' });
          response.flushHeaders();
          response.end();
        },
        respondWith(200, ' \n'),
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
    await provider.generate(backgroundCall, contextOf(), sink);
    expect(bytes().toString()).toBe(whole);
    expect(methodsOf(server)).toEqual(['POST', ...Array(19).fill('GET')]);
  });

  it('shares a connection between polls, and never reuses one for a submission', async () => {
    const server = await serve(
      background(respondWith(200, queued), respondWith(200, queued), respondWith(200, await completed())),
    );
    const provider = backgroundProvider(server.url);
    await provider.generate(backgroundCall, contextOf(), drain);
    expect(server.sockets()).toBe(2);
    await provider.generate(backgroundCall, contextOf(), drain);
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
    expect(methodsOf(server)).toEqual(['GET', 'GET', 'GET']);
  });

  it('continues to poll for a minute if the provider does not know a new response yet', async () => {
    const unknown = respondWith(404, '{"error":{"message":"Response with id resp_1 not found."}}');
    const whole = JSON.stringify(await completed());
    const server = await serve(background(...Array(10).fill(unknown), respondWith(200, whole)));
    const { sink, bytes } = collector();
    await backgroundProvider(server.url, { lostAfterMs: undefined }).generate(
      backgroundCall,
      contextOf(),
      sink,
    );
    expect(bytes().toString()).toBe(whole);
    expect(methodsOf(server)).toEqual(['POST', ...Array(11).fill('GET')]);
  });

  it('continues to poll while a firewall forbids the polls, because the response may exist', async () => {
    const forbidden = respondWith(403, '<html><title>403 Forbidden</title></html>');
    const accessLost = respondWith(403, '{"error":{"type":"invalid_request_error","message":"No access."}}');
    const whole = JSON.stringify(await completed());
    const polls = [
      forbidden,
      forbidden,
      forbidden,
      forbidden,
      accessLost,
      accessLost,
      accessLost,
      accessLost,
    ];
    const server = await serve(background(...polls, respondWith(200, whole)));
    const { sink, bytes } = collector();
    await backgroundProvider(server.url).generate(backgroundCall, contextOf(), sink);
    expect(bytes().toString()).toBe(whole);
  });

  it('stops polling with the error of a failed response', async () => {
    const blocked = {
      code: 'moderation_blocked',
      message: 'Blocked.',
      moderation_details: { categories: ['violence'], moderation_stage: 'input' },
    };
    const server = await serve(background(respondWith(200, queued), respondWith(200, failed(blocked))));
    const failure = await failureOf(
      backgroundProvider(server.url).generate(backgroundCall, contextOf(), drain),
    );
    expect(failure).toMatchObject({
      kind: 'final',
      code: 'moderation_blocked',
      billing: 'none',
      provider: { categories: ['violence'] },
    });
    expect(methodsOf(server)).toEqual(['POST', 'GET', 'GET']);
  });

  it('stops polling if the response is too large, because another poll would return the same size', async () => {
    const server = await serve(background(respondWith(200, await completed())));
    const provider = backgroundProvider(server.url, { maxResponseBytes: 5_000 });
    expect(await failureOf(provider.generate(backgroundCall, contextOf(), drain))).toMatchObject({
      kind: 'unusable',
      message: expect.stringContaining('larger than 5000 bytes'),
    });
    expect(methodsOf(server)).toEqual(['POST', 'GET']);
  });

  it('stops polling with the unchanged error of the sink, and does not cancel the response', async () => {
    const server = await serve(background(respondWith(200, await completed())));
    const full = new AppError('storage_failed', { detail: 'The disk is full.' });
    const run = backgroundProvider(server.url).generate(backgroundCall, contextOf(), async (_head, body) => {
      for await (const _ of body) throw full;
    });
    await expect(run).rejects.toBe(full);
    expect(methodsOf(server)).toEqual(['POST', 'GET']);
  });
});
