import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import type { ImageCall, PartialImage } from '../../src/domain/ports.ts';
import { backgroundProvider } from '../support/background-calls.ts';
import { errorEvent, serverEvent } from '../support/event-streams.ts';
import { eventually } from '../support/eventually.ts';
import { noiseImage } from '../support/images.ts';
import { collector, contextOf, drain, failureOf } from '../support/provider-calls.ts';
import { backgroundCall, completed, methodsOf, queued } from '../support/responses-scripts.ts';
import { respondWith, type Script, serve } from '../support/scripted-server.ts';

/** Tests calls of the Responses API that request previews: a stream for id and previews, then polls for the image. */

const call: ImageCall = {
  ...backgroundCall,
  parameters: { ...backgroundCall.parameters, partial_images: 2 },
};

const created = (fields: object = {}) =>
  serverEvent('response.created', {
    response: { ...queued, status: 'in_progress', background: true, ...fields },
  });
const partial = async (no: number) =>
  serverEvent('response.image_generation_call.partial_image', {
    item_id: 'ig_1',
    partial_image_index: no,
    partial_image_b64: (await noiseImage(32 + no, 32)).toString('base64'),
  });

/** Streams steps in response to the submission, and responds to polls with a script. */
const streaming =
  (poll: Script, ...steps: readonly (string | 'cut' | 'end')[]): Script =>
  async (response, request, index) => {
    if (request.method !== 'POST' || request.path.endsWith('/cancel')) return poll(response, request, index);
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req_9' });
    for (const step of steps) {
      if (step === 'cut') response.destroy();
      else if (step === 'end') response.end();
      else await new Promise((resolve) => response.write(step, resolve));
    }
  };

/** Creates a context that records handles and previews in the sequence of their calls. */
function recordingContext(rest: Parameters<typeof contextOf>[0] = {}) {
  const seen: string[] = [];
  const partials: PartialImage[] = [];
  const context = contextOf({
    onHandle: async (handle) => void seen.push(handle),
    onPartial: async (each) => {
      seen.push(`partial ${each.no}`);
      partials.push(each);
    },
    ...rest,
  });
  return { context, seen, partials };
}

describe('a background call with previews', () => {
  it('stores its id first, passes its previews on and gets the image from a poll', async () => {
    const whole = JSON.stringify(await completed());
    const final = serverEvent('response.completed', { response: await completed() });
    const server = await serve(
      streaming(respondWith(200, whole), created() + (await partial(0)), await partial(1), final),
    );
    const { context, seen, partials } = recordingContext();
    const { sink, bytes } = collector();
    await backgroundProvider(server.url).generate(call, context, sink);
    expect(seen).toEqual(['resp_1', 'partial 0', 'partial 1']);
    expect(partials.map(({ image }) => image.width)).toEqual([32, 33]);
    expect(bytes().toString()).toBe(whole);
    expect(methodsOf(server)).toEqual(['POST', 'GET']);
    expect(JSON.parse(server.seen[0]?.body ?? '')).toMatchObject({
      stream: true,
      background: true,
      store: true,
      tools: [{ type: 'image_generation', partial_images: 2 }],
    });
    await server.seen[0]?.closed;
  });

  it.each(['cut', 'end'] as const)('is polled after its stream breaks behind a preview (%s)', async (end) => {
    const whole = JSON.stringify(await completed());
    const server = await serve(streaming(respondWith(200, whole), created(), await partial(0), end));
    const { context, seen } = recordingContext();
    const { sink, bytes } = collector();
    await backgroundProvider(server.url).generate(call, context, sink);
    expect(seen).toEqual(['resp_1', 'partial 0']);
    expect(bytes().toString()).toBe(whole);
    expect(methodsOf(server)).toEqual(['POST', 'GET']);
  });

  it('gets the image from a poll although its stream stays open and silent after a preview', async () => {
    const whole = JSON.stringify(await completed());
    let polls = 0;
    const poll: Script = (...given) => {
      polls += 1;
      const states = [respondWith(500, ''), respondWith(404, ''), respondWith(200, queued)];
      (states[polls - 1] ?? respondWith(200, whole))(...given);
    };
    const server = await serve(streaming(poll, created(), await partial(0)));
    const { context, seen } = recordingContext();
    const { sink, bytes } = collector();
    await backgroundProvider(server.url, { streamPollMs: 20 }).generate(call, context, sink);
    expect(seen).toEqual(['resp_1', 'partial 0']);
    expect(bytes().toString()).toBe(whole);
    expect(methodsOf(server)).toEqual(['POST', ...Array(5).fill('GET')]);
    await server.seen[0]?.closed;
  });

  it('follows its stream to the end while the polls beside it show no end', async () => {
    const server = await serve(async (response, request, index) => {
      if (request.method === 'GET') return respondWith(200, queued)(response, request, index);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(created());
      await server.arrived(3);
      response.write(await partial(0));
    });
    const { context, seen } = recordingContext({ timeoutMs: 2_000 });
    const run = backgroundProvider(server.url, { streamPollMs: 20 }).generate(call, context, drain);
    expect(await failureOf(run)).toMatchObject({ kind: 'uncertain' });
    expect(seen).toEqual(['resp_1', 'partial 0']);
  });

  it('is classified by its response if the stream states an error', async () => {
    const error = { code: 'moderation_blocked', message: 'no' };
    const poll = respondWith(200, { ...queued, status: 'failed', error });
    const server = await serve(streaming(poll, created() + (await partial(0)) + errorEvent(error), 'end'));
    const { context } = recordingContext();
    expect(await failureOf(backgroundProvider(server.url).generate(call, context, drain))).toMatchObject({
      kind: 'final',
      code: 'moderation_blocked',
      billing: 'none',
    });
  });

  it('is classified by an error event that comes before its id', async () => {
    const server = await serve(
      streaming(respondWith(500, ''), errorEvent({ code: 'rate_limit_exceeded', message: 'slow' }), 'end'),
    );
    const { context, seen } = recordingContext();
    expect(await failureOf(backgroundProvider(server.url).generate(call, context, drain))).toMatchObject({
      kind: 'refused',
      billing: 'none',
    });
    expect(seen).toEqual([]);
    expect(methodsOf(server)).toEqual(['POST']);
  });

  it('is uncertain if its stream breaks before its id', async () => {
    const server = await serve(streaming(respondWith(500, ''), ': hello\n\n', 'cut'));
    const failure = await failureOf(backgroundProvider(server.url).generate(call, contextOf(), drain));
    expect(failure).toMatchObject({ kind: 'uncertain', billing: 'possible' });
    expect(methodsOf(server)).toEqual(['POST']);
  });

  it('is uncertain at once if its stream sends megabytes without an id', async () => {
    const server = await serve(streaming(respondWith(500, ''), `:${'x'.repeat(2 * 1024 * 1024)}\n\n`));
    const run = backgroundProvider(server.url).generate(call, contextOf({ timeoutMs: 5_000 }), drain);
    const failure = await failureOf(run);
    expect(failure).toMatchObject({ kind: 'uncertain', message: expect.stringContaining('broke before') });
  });

  it('takes the image from the stream of a server that does not work in the background', async () => {
    const response = await completed();
    const server = await serve(
      streaming(
        respondWith(404, ''),
        created({ background: false }) + (await partial(0)),
        serverEvent('response.completed', { response }),
      ),
    );
    const { context, seen } = recordingContext();
    const { sink, decoded } = collector();
    const provider = backgroundProvider(server.url);
    await provider.generate(call, context, sink);
    expect(seen).toEqual(['partial 0']);
    expect((await decoded(provider)).image).toMatchObject({ width: 64, height: 64 });
    expect(methodsOf(server)).toEqual(['POST']);
  });

  it('is polled if the server ignores the request for a stream', async () => {
    const whole = JSON.stringify(await completed());
    const server = await serve((response, request, index) =>
      respondWith(200, request.method === 'POST' ? queued : whole)(response, request, index),
    );
    const { context, seen } = recordingContext();
    const { sink, bytes } = collector();
    await backgroundProvider(server.url).generate(call, context, sink);
    expect(seen).toEqual(['resp_1']);
    expect(bytes().toString()).toBe(whole);
  });

  it('ends with the unchanged error of the sink, without a poll, if the server sends the whole response', async () => {
    const server = await serve(respondWith(200, await completed()));
    const full = new AppError('storage_failed', { detail: 'The disk is full.' });
    const run = backgroundProvider(server.url).generate(call, contextOf(), () => Promise.reject(full));
    await expect(run).rejects.toBe(full);
    expect(methodsOf(server)).toEqual(['POST']);
  });

  it.each([
    ['canceled', 'draining', ['POST']],
    ['canceled', 'canceled', ['POST', 'POST']],
  ])('ends at once when it is %s (%s) while it streams', async (_name, reason, methods) => {
    const server = await serve(streaming(respondWith(200, queued), created()));
    const stop = new AbortController();
    const { context, seen } = recordingContext({ signal: stop.signal });
    const calling = failureOf(backgroundProvider(server.url).generate(call, context, drain));
    await vi.waitUntil(() => seen.length === 1);
    const startedAt = performance.now();
    stop.abort(reason);
    expect(await calling).toMatchObject({ kind: 'uncertain' });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    await eventually(() => expect(methodsOf(server)).toEqual(methods));
  });

  it('shares its timeout between the stream and the polls', async () => {
    const server = await serve(streaming(respondWith(200, queued), created()));
    const { context } = recordingContext({ timeoutMs: 400 });
    const startedAt = performance.now();
    const failure = await failureOf(backgroundProvider(server.url).generate(call, context, drain));
    expect(failure).toMatchObject({ kind: 'uncertain' });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(server.seen.at(-1)?.path).toBe('/v1/responses/resp_1/cancel');
  });
});
