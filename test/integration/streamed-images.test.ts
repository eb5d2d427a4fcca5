import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { ImageCall, PartialImage, ResponseSink } from '../../src/domain/ports.ts';
import { completedEvent, errorEvent, partialEvent } from '../support/event-streams.ts';
import { chunked, noiseImage } from '../support/images.ts';
import { collector, contextOf, failureOf, imageResponse, openAIProvider } from '../support/provider-calls.ts';
import { respondWith, type Script, serve } from '../support/scripted-server.ts';

/** Tests calls that request previews, whose responses are streams of events. */

const call: ImageCall = {
  model: 'gpt-image-2.6-flare',
  prompt: 'A fox',
  parameters: { size: '1024x1024', partial_images: 2 },
};

let final: Buffer;
let previews: Buffer[];
let large: Buffer;
beforeAll(async () => {
  final = await noiseImage(64, 64);
  previews = await Promise.all([32, 40].map((edge) => noiseImage(edge, edge)));
  large = await noiseImage(1024, 1024);
});

const partial = (no: number) => partialEvent(no, previews[no] ?? Buffer.alloc(0));

/** Collects the previews of a call. */
function previewCollector() {
  const seen: PartialImage[] = [];
  return { seen, onPartial: async (each: PartialImage) => void seen.push(each) };
}

/** Creates a collector that knows whether its last body was complete. */
function watchingCollector() {
  const { sink, bytes } = collector();
  let complete = false;
  const watching: ResponseSink = async (head, body) => {
    await sink(head, body);
    complete = true;
  };
  return { sink: watching, bytes, isComplete: () => complete };
}

/** Creates a script that sends parts of an event stream, each after the previous step. */
const streaming =
  (...steps: readonly (string | (() => Promise<unknown>) | 'end' | 'cut')[]): Script =>
  async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req_7' });
    for (const step of steps) {
      if (step === 'end') response.end();
      else if (step === 'cut') response.destroy();
      else if (typeof step === 'string') await new Promise((resolve) => response.write(step, resolve));
      else await step();
    }
  };

describe('a call with previews', () => {
  it('requests a stream and passes each preview on while the image is not finished', async () => {
    const { seen, onPartial } = previewCollector();
    const until = (count: number) => () => vi.waitUntil(() => seen.length === count);
    const body = [partial(0), partial(1), completedEvent(final)];
    const server = await serve(
      streaming(body[0] ?? '', until(1), body[1] ?? '', until(2), body[2] ?? '', 'end'),
    );
    const { sink, bytes } = collector();
    const provider = openAIProvider(server.url);
    const head = await provider.generate(call, contextOf({ onPartial }), sink);
    expect(head).toEqual({ providerRequestId: 'req_7' });
    expect(JSON.parse(server.seen[0]?.body ?? '')).toMatchObject({ stream: true, partial_images: 2, n: 1 });
    expect(seen.map(({ no, image }) => [no, image.width, image.contentType])).toEqual([
      [0, 32, 'image/png'],
      [1, 40, 'image/png'],
    ]);
    expect(bytes().toString()).toBe(body.join(''));
  });

  it('gets every small preview of a stream that arrives at once', async () => {
    const { seen, onPartial } = previewCollector();
    const server = await serve(streaming(partial(0) + partial(1) + completedEvent(final), 'end'));
    await openAIProvider(server.url).generate(call, contextOf({ onPartial }), collector().sink);
    await vi.waitUntil(() => seen.length === 2);
  });

  it('ends with its final image, even if the server holds the connection open or sends more', async () => {
    const server = await serve(streaming(completedEvent(final), partial(0)));
    const { sink, bytes } = collector();
    const { seen, onPartial } = previewCollector();
    const provider = openAIProvider(server.url);
    await provider.generate(call, contextOf({ onPartial }), sink);
    await server.seen[0]?.closed;
    const decoded = await provider.decode(chunked(bytes()));
    expect(decoded.image.bytes.equals(final)).toBe(true);
    expect(seen).toEqual([]);
  });

  it('is uncertain if the connection breaks after a preview', async () => {
    const { seen, onPartial } = previewCollector();
    const seenFirst = () => vi.waitUntil(() => seen.length === 1);
    const server = await serve(streaming(partial(0), seenFirst, 'cut'));
    const { sink, isComplete } = watchingCollector();
    const calling = openAIProvider(server.url).generate(call, contextOf({ onPartial }), sink);
    expect(await failureOf(calling)).toMatchObject({
      kind: 'uncertain',
      code: 'provider_outcome_unknown',
      billing: 'possible',
      provider: { status: 200, request_id: 'req_7' },
    });
    expect(isComplete()).toBe(false);
    expect(seen).toHaveLength(1);
  });

  it('is uncertain if the stream stops without an end, after its timeout', async () => {
    const server = await serve(streaming(partial(0)));
    const calling = openAIProvider(server.url).generate(
      call,
      contextOf({ timeoutMs: 300 }),
      collector().sink,
    );
    expect(await failureOf(calling)).toMatchObject({ kind: 'uncertain', billing: 'possible' });
  });

  it.each([
    [{ code: 'moderation_blocked', type: 'image_generation_user_error', message: 'no' }, 'final', 'none'],
    [{ code: 'rate_limit_exceeded', type: 'requests', message: 'slow' }, 'refused', 'none'],
    [{ code: 'credit_balance_exhausted', type: 'insufficient_quota', message: 'pay' }, 'stopped', 'none'],
    [{ code: 'server_error', type: 'server_error', message: 'oh' }, 'uncertain', 'possible'],
  ])(
    'is classified by an error event after a preview: %j is %s, billing %s',
    async (error, kind, billing) => {
      const server = await serve(streaming(partial(0) + errorEvent(error), 'end'));
      const { sink, isComplete } = watchingCollector();
      const failure = await failureOf(openAIProvider(server.url).generate(call, contextOf(), sink));
      expect(failure).toMatchObject({ kind, billing, provider: { code: error.code, request_id: 'req_7' } });
      expect(isComplete()).toBe(false);
    },
  );

  it('is uncertain if the stream ends with previews only, because a break may look like an end', async () => {
    const server = await serve(streaming(partial(0), 'end'));
    const { sink, isComplete } = watchingCollector();
    const calling = openAIProvider(server.url).generate(call, contextOf(), sink);
    expect(await failureOf(calling)).toMatchObject({ kind: 'uncertain', billing: 'possible' });
    expect(isComplete()).toBe(false);
  });

  it('accepts JSON of a server that ignores the request for a stream', async () => {
    const { png, text } = await imageResponse();
    const server = await serve(respondWith(200, text));
    const { sink, bytes } = collector();
    const provider = openAIProvider(server.url);
    await provider.generate(call, contextOf(), sink);
    expect(bytes().toString()).toBe(text);
    expect((await provider.decode(chunked(bytes()))).image.bytes.equals(png)).toBe(true);
  });

  it('skips a faulty preview and a large one while an earlier one is being stored, never the image', async () => {
    const faulty = partialEvent(0, Buffer.from('no image'));
    const server = await serve(
      streaming(faulty + partialEvent(0, large) + partialEvent(1, large) + completedEvent(final), 'end'),
    );
    const { sink, bytes } = collector();
    const seen: number[] = [];
    const onPartial = (each: PartialImage) => {
      seen.push(each.no);
      return new Promise<void>(() => {});
    };
    const provider = openAIProvider(server.url);
    await provider.generate(call, contextOf({ onPartial }), sink);
    expect((await provider.decode(chunked(bytes()))).image.bytes.equals(final)).toBe(true);
    expect(seen).toEqual([0]);
  });
});
