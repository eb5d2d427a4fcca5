import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { billingOf } from '../../src/domain/attempt.ts';
import type { CatalogueModel } from '../../src/domain/model-catalogue.ts';
import { createDestinationGuard } from '../../src/outbound/webhooks/destination-guard.ts';
import { createFetchLink } from '../../src/outbound/webhooks/fetch-link.ts';
import { createGuardedAgent } from '../../src/outbound/webhooks/guarded-agent.ts';
import { catalogueWith } from '../support/catalogue.ts';
import { generation } from '../support/generation.ts';
import { noiseImage } from '../support/images.ts';
import { openAIProvider } from '../support/provider-calls.ts';
import { outcomes } from '../support/provider-outcomes.ts';
import { type Script, serve } from '../support/scripted-server.ts';

let png: Buffer;
beforeAll(async () => {
  png = await noiseImage(64, 64);
});

const usage = { input_tokens: 17, output_tokens: 196, total_tokens: 213 };
const asImage: Script = (response) => response.writeHead(200, { 'content-type': 'image/png' }).end(png);

/** Creates a fetcher of foreign links whose guard allows loopback or not. */
function linkFetcher(allowPrivate: boolean) {
  const guard = createDestinationGuard({ allowPrivate, requireHttps: false });
  const dispatcher = createGuardedAgent({ guard });
  onTestFinished(() => dispatcher.destroy());
  return createFetchLink({ guard, dispatcher, userAgent: 'Darkroom/test' });
}

const linkedBody = (url: string): object => ({ data: [{ url, revised_prompt: 'A cat' }], usage });

/** Runs a job of a model that sends links. The server responds with the link of `linkOf`, and with `image` to its GET. */
async function runLinked(
  linkOf: (address: string) => string,
  options: {
    image?: Script;
    allowPrivate?: boolean;
    model?: Partial<CatalogueModel>;
    bodyOf?: (url: string) => object;
    onUncertain?: 'retry' | 'fail';
    /** Stops the first run. */
    stop?: AbortSignal;
  } = {},
) {
  let address = '';
  const server = await serve((response, request, index) => {
    if (request.method === 'GET') return (options.image ?? asImage)(response, request, index);
    const body = (options.bodyOf ?? linkedBody)(linkOf(address));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  address = new URL(server.url).origin;
  const fetchLink = linkFetcher(options.allowPrivate ?? false);
  const made = generation({
    realProvider: openAIProvider(server.url, { fetchLink }),
    catalogue: catalogueWith('gpt-image-2', { sends_links: true, ...options.model }),
    maxPaidAttempts: 2,
    ...(options.onUncertain ? { onUncertain: options.onUncertain } : {}),
  });
  await (options.stop ? made.run(options.stop) : made.runPaidCalls());
  const summaryNow = () => {
    const job = made.job();
    return {
      status: job.status,
      code: job.errors?.[0]?.code,
      billing: billingOf(job.attempts),
      calls: server.seen.filter(({ method }) => method === 'POST').length,
    };
  };
  const fetches = server.seen.filter(({ method }) => method === 'GET').length;
  return { made, fetches, summary: summaryNow(), summaryNow };
}

/** The provider reports the usage of its call, so a link without an image is charged too. */
const unusable = { ...outcomes.unusable, billing: 'charged' };
const paidOnce = { status: 'succeeded', billing: 'charged', calls: 1 };

describe('a model that sends links', () => {
  it('stores the image behind a link to the server of the provider, with its usage, after one call', async () => {
    const { made, summary } = await runLinked((address) => `${address}/files/1.png`);
    expect(summary).toMatchObject(paidOnce);
    expect([...made.stored.values()].map((bytes) => bytes.equals(png))).toEqual([true]);
    expect(made.job()).toMatchObject({ usage: { output_tokens: 196 }, revisedPrompt: 'A cat' });
  });

  it('stores the image although the response repeats texts of its own and holds further entries', async () => {
    const { made, summary } = await runLinked((address) => `${address}/1.png`, {
      bodyOf: (url) => ({
        note: 'the bytes of the linked image',
        data: [
          { url: 'about:blank', revised_prompt: 'Another' },
          { url, revised_prompt: 'the bytes of the linked image' },
        ],
        usage,
      }),
    });
    expect(summary).toMatchObject(paidOnce);
    expect(made.job()).toMatchObject({ revisedPrompt: 'the bytes of the linked image' });
  });

  it('stores the image behind a link to another server through the guard, without credentials', async () => {
    const other = await serve(asImage);
    const { made, summary } = await runLinked(() => `${new URL(other.url).origin}/1.png`, {
      allowPrivate: true,
    });
    expect(summary).toMatchObject(paidOnce);
    expect([...made.stored.values()].map((bytes) => bytes.equals(png))).toEqual([true]);
    expect(other.seen).toHaveLength(1);
    expect(other.seen[0]?.headers).not.toHaveProperty('authorization');
  });

  it('ends the job after one call if the guard refuses the link, and names only its host', async () => {
    const other = await serve(asImage);
    const { host } = new URL(other.url);
    const { made, summary } = await runLinked(() => `http://${host}/secret-token.png`);
    expect(summary).toEqual(unusable);
    expect(made.job().errors?.[0]?.message).toContain(host);
    expect(made.job().errors?.[0]?.message).not.toContain('secret-token');
    expect(other.seen).toHaveLength(0);
  });

  it('follows no redirect of a link', async () => {
    const { summary } = await runLinked((address) => `${address}/1.png`, {
      image: (response) => response.writeHead(302, { location: '/2.png' }).end(),
    });
    expect(summary).toEqual(unusable);
  });

  it('ends the job after one call if the link does not respond before the deadline of the call', async () => {
    const { summary } = await runLinked((address) => `${address}/1.png`, {
      image: () => undefined,
      model: { call_timeout_s: 1 },
    });
    expect(summary).toEqual(unusable);
  });

  it.each([64, 256])('stores an image of %d pixels that came without a link', async (edge) => {
    const image = await noiseImage(edge, edge);
    const { fetches, made, summary } = await runLinked(() => '', {
      bodyOf: () => ({ data: [{ b64_json: image.toString('base64') }], usage }),
    });
    expect(summary).toMatchObject(paidOnce);
    expect([...made.stored.values()].map((bytes) => bytes.equals(image))).toEqual([true]);
    expect(fetches).toBe(0);
  });
});

describe('a link that does not lead to an image at first', () => {
  const transfers: readonly [string, Script][] = [
    [
      'breaks off before its length',
      (response) => {
        response.writeHead(200, { 'content-length': String(png.length) });
        response.write(png.subarray(0, 100), () => response.destroy());
      },
    ],
    [
      'breaks off without a length',
      (response) => response.write(png.subarray(0, 100), () => response.destroy()),
    ],
    ['ends well with a part of the image', (response) => response.end(png.subarray(0, -20))],
    ['is empty', (response) => response.end()],
    ['is a page of a proxy', (response) => response.end('<html>maintenance</html>')],
    ['is refused', (response) => response.writeHead(503).end()],
  ];

  it.each(transfers)(
    'fetches a link again if a transfer %s, because only the call is charged',
    async (_name, fails) => {
      let tries = 0;
      const { fetches, summary } = await runLinked((address) => `${address}/1.png`, {
        image(response, request, index) {
          tries += 1;
          (tries > 1 ? asImage : fails)(response, request, index);
        },
      });
      expect(summary).toMatchObject(paidOnce);
      expect(fetches).toBe(2);
    },
  );

  it.each(transfers)(
    'ends the job after one call and three fetches if each transfer %s',
    async (_name, fails) => {
      const { fetches, summary } = await runLinked((address) => `${address}/1.png`, { image: fails });
      expect(summary).toEqual(unusable);
      expect(fetches).toBe(3);
    },
  );

  it.each(['https://', 'https://exa mple/x y.png', 'http://:80/1.png'])(
    'ends the job after one call if the link is no address: %s',
    async (link) => {
      const { fetches, made, summary } = await runLinked(() => link);
      expect(summary).toEqual(unusable);
      expect(made.job().errors?.[0]?.message).toContain('not a valid address');
      expect(fetches).toBe(0);
    },
  );

  it.each([
    { onUncertain: 'fail', next: { status: 'failed', code: 'provider_outcome_unknown', calls: 1 } },
    { onUncertain: 'retry', next: { status: 'succeeded', calls: 2 } },
  ] as const)(
    'leaves a call whose link is cut off by a shutdown to the next run, like any other call ($onUncertain)',
    async ({ onUncertain, next }) => {
      const stop = new AbortController();
      let fetches = 0;
      const { made, summary, summaryNow } = await runLinked((address) => `${address}/1.png`, {
        onUncertain,
        stop: stop.signal,
        image(response, request, index) {
          fetches += 1;
          if (fetches === 1) stop.abort('draining');
          else asImage(response, request, index);
        },
      });
      expect(summary).toMatchObject({ status: 'running', code: undefined, calls: 1 });
      const [cutOff] = made.job().attempts;
      expect(cutOff).toMatchObject({ state: 'uncertain', error: 'worker_lost', charged: true });
      expect(cutOff).not.toHaveProperty('final');
      await made.runPaidCalls();
      expect(summaryNow()).toMatchObject(next);
    },
  );
});
