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
  });
  await made.run();
  const job = made.job();
  return {
    made,
    fetches: server.seen.filter(({ method }) => method === 'GET').length,
    summary: {
      status: job.status,
      code: job.errors?.[0]?.code,
      billing: billingOf(job.attempts),
      calls: server.seen.filter(({ method }) => method === 'POST').length,
    },
  };
}

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
    expect(summary).toEqual(outcomes.unusable);
    expect(made.job().errors?.[0]?.message).toContain(host);
    expect(made.job().errors?.[0]?.message).not.toContain('secret-token');
    expect(other.seen).toHaveLength(0);
  });

  it('follows no redirect of a link', async () => {
    const { summary } = await runLinked((address) => `${address}/1.png`, {
      image: (response) => response.writeHead(302, { location: '/2.png' }).end(),
    });
    expect(summary).toEqual(outcomes.unusable);
  });

  it('fetches a link again after a broken transfer, because only the call is charged', async () => {
    let tries = 0;
    const { fetches, summary } = await runLinked((address) => `${address}/1.png`, {
      image(response, request, index) {
        tries += 1;
        if (tries > 1) return asImage(response, request, index);
        response.writeHead(200, { 'content-length': String(png.length) });
        response.write(png.subarray(0, 100), () => response.destroy());
      },
    });
    expect(summary).toMatchObject(paidOnce);
    expect(fetches).toBe(2);
  });

  it('ends the job after one call if the link does not respond before the deadline of the call', async () => {
    const { summary } = await runLinked((address) => `${address}/1.png`, {
      image: () => undefined,
      model: { call_timeout_s: 1 },
    });
    expect(summary).toEqual(outcomes.unusable);
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
