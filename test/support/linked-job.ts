import { onTestFinished } from 'vitest';
import { billingOf } from '../../src/domain/attempt.ts';
import type { CatalogueModel } from '../../src/domain/catalogue-file.ts';
import type { ImageRequest } from '../../src/domain/image-request.ts';
import { createDestinationGuard } from '../../src/outbound/webhooks/destination-guard.ts';
import { createFetchLink } from '../../src/outbound/webhooks/fetch-link.ts';
import { createGuardedAgent } from '../../src/outbound/webhooks/guarded-agent.ts';
import { catalogueWith } from './catalogue.ts';
import { generation } from './generation.ts';
import { noiseImage } from './images.ts';
import { openAIProvider } from './provider-calls.ts';
import { outcomes } from './provider-outcomes.ts';
import { type Script, serve } from './scripted-server.ts';

/** The image behind the links. */
export const linkedImage = await noiseImage(64, 64);

/** The usage that the provider reports beside a link. */
export const linkUsage = { input_tokens: 17, output_tokens: 196, total_tokens: 213 };
/** Responds with the image. */
export const asImage: Script = (response) =>
  response.writeHead(200, { 'content-type': 'image/png' }).end(linkedImage);

/** Creates a fetcher of foreign links whose guard allows loopback or not. */
function linkFetcher(allowPrivate: boolean) {
  const guard = createDestinationGuard({ allowPrivate, requireHttps: false });
  const dispatcher = createGuardedAgent({ guard });
  onTestFinished(() => dispatcher.destroy());
  return createFetchLink({ guard, dispatcher, userAgent: 'Darkroom/test' });
}

const linkedBody = (url: string): object => ({ data: [{ url, revised_prompt: 'A cat' }], usage: linkUsage });

/** Runs a job of a model that sends links. The server responds with the link of `linkOf`, and with `image` to its GET. */
export async function runLinked(
  linkOf: (address: string) => string,
  options: {
    image?: Script;
    allowPrivate?: boolean;
    model?: Partial<CatalogueModel>;
    bodyOf?: (url: string) => object;
    onUncertain?: 'retry' | 'fail';
    request?: Partial<ImageRequest>;
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
    request: options.request ?? {},
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
  const posted: object = JSON.parse(server.seen.find(({ method }) => method === 'POST')?.body ?? '{}');
  return { made, fetches, posted, summary: summaryNow(), summaryNow };
}

/** Summary of a job whose link leads to no image. It is charged, because the provider reports usage. */
export const unusableLink = { ...outcomes.unusable, billing: 'charged' };
/** Facts of the summary of a job with its image. */
export const paidOnce = { status: 'succeeded', billing: 'charged', calls: 1 };
