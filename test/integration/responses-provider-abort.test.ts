import { describe, expect, it } from 'vitest';
import { backgroundProvider } from '../support/background-calls.ts';
import { contextOf, drain, failureOf, watchedSignal } from '../support/provider-calls.ts';
import { background, backgroundCall, completed, methodsOf, queued } from '../support/responses-scripts.ts';
import { respondWith, serve } from '../support/scripted-server.ts';

/** Tests the provider against scripted servers. background-images.test.ts tests it against the studio. */

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
      backgroundProvider(server.url).generate(backgroundCall, contextOf({ signal: caller.signal }), drain),
    );
    await server.arrived(3);
    caller.abort(reason);
    expect(await run).toMatchObject(unknown);
    expect(server.seen.some(({ path }) => path === stopped)).toBe(stops);
  });

  it('stops the work at the provider at the deadline and reports the result of the last poll', async () => {
    const server = await serve(background(respondWith(401, '{"error":{"code":"invalid_api_key"}}')));
    const run = backgroundProvider(server.url).generate(
      backgroundCall,
      contextOf({ timeoutMs: 2_000 }),
      drain,
    );
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
    expect(methodsOf(server)).toEqual(['GET']);
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
        backgroundCall,
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
    const run = failureOf(provider.generate(backgroundCall, contextOf(), drain));
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
    await backgroundProvider(server.url).generate(backgroundCall, contextOf({ signal }), drain);
    expect(listeners()).toBe(0);
  });
});
