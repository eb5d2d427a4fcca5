import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadClients } from '../support/openai-clients.ts';
import { findProxy, type ReverseProxy, startHaproxy, startNginx } from '../support/reverse-proxies.ts';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls, testKeys } from '../support/service-environment.ts';

/**
 * Calls that last longer than the default timeouts of Node's `fetch` (300 s for the headers and for a silent body), of nginx
 * (60 s) and of HAProxy (50 s in Debian). All calls run concurrently. LONG_CALL_S sets their duration, for a quick run.
 */
const callSeconds = Number(process.env.LONG_CALL_S || 310);
const latency = `[studio:latency=${callSeconds * 1000}]`;

const page = new URL('../../docs/openai-compatible.md', import.meta.url);
const clients = await loadClients();
const nginx = findProxy('nginx');
const haproxy = findProxy('haproxy');

/** Way from a client to the service. */
type Way = 'direct' | 'nginx' | 'nginx as documented' | 'nginx with HTTP/1.1' | 'HAProxy';

const services: TestService[] = [];
const proxies: ReverseProxy[] = [];
const urls = new Map<Way, string>();
beforeAll(async () => {
  const auto = await startService({ WORKER_CONCURRENCY: '64' });
  const never = await startService({ WORKER_CONCURRENCY: '16', V1_INTERIM_RESPONSES: 'never' });
  services.push(auto, never);
  urls.set('direct', auto.url);
  const add = async (way: Way, starting: Promise<ReverseProxy>) => {
    const proxy = await starting;
    proxies.push(proxy);
    urls.set(way, proxy.url);
  };
  if (nginx) {
    const [, documented = ''] = /```nginx\n([\s\S]*?)```/.exec(readFileSync(page, 'utf8')) ?? [];
    await add('nginx', startNginx(nginx, auto.url));
    await add('nginx as documented', startNginx(nginx, auto.url, documented));
    // nginx 1.22 takes a 1xx response as the final one, and nothing in these requests names the proxy.
    await add('nginx with HTTP/1.1', startNginx(nginx, never.url, 'proxy_http_version 1.1;'));
  }
  if (haproxy) await add('HAProxy', startHaproxy(haproxy, auto.url));
});
afterAll(async () => {
  await Promise.all(proxies.map((proxy) => proxy.stop()));
  await Promise.all(services.map((service) => service.close()));
});

/** Result of one call for the caller of a client. */
interface Outcome {
  readonly images?: number;
  readonly status?: number;
  readonly code?: string;
  readonly message?: string;
}

type Call = (baseUrl: string, prompt: string) => Promise<Outcome>;

const isPng = (bytes: Buffer) => bytes.subarray(1, 4).toString() === 'PNG';

/** Calls one of the unmodified clients without its retries. */
const callOf = (name: string): Call => {
  const client = clients && [...clients.all, ...clients.streams].find((each) => each.name === name);
  return async (baseUrl, prompt) => {
    try {
      const options = { baseUrl, apiKey: testKeys.acme, maxRetries: 0 };
      const images = (await client?.generate(options, { prompt, model: 'gpt-image-2' })) ?? [];
      return { images: images.filter(isPng).length };
    } catch (error) {
      const { status, statusCode, code, message } = error as Outcome & { statusCode?: number };
      const known = status ?? statusCode;
      return {
        ...(known ? { status: known } : {}),
        ...(code ? { code } : {}),
        ...(message ? { message } : {}),
      };
    }
  };
};

/** Calls Node's `fetch` as a client that the service does not know. */
const plainFetch: Call = async (baseUrl, prompt) => {
  const response = await fetch(`${baseUrl}/images/generations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testKeys.acme}`, 'content-type': 'application/json' },
    body: JSON.stringify({ prompt, model: 'gpt-image-2' }),
  });
  const text = await response.text();
  expect(text).toMatch(/^ +\{/);
  const body = JSON.parse(text) as { data?: { b64_json: string }[]; error?: { code: string } };
  if (body.error) return { status: response.status, code: body.error.code };
  return { images: body.data?.length ?? 0 };
};

interface Row {
  readonly client: string;
  readonly way: Way;
  readonly success: Outcome;
  /** Outcome if the provider refuses the content at the end. */
  readonly failure?: Outcome;
}

const success = { images: 1 };
/** Interim responses leave the status open, so a late failure has its own. */
const refused = { status: 400, code: 'moderation_blocked' };
const refusedWithoutCode = { status: 400 };
/** White space has begun a response with the status 200. The official client returns the error as a result without data. */
const noData = { images: 0 };

const rows: readonly Row[] = [
  { client: 'openai 6', way: 'direct', success, failure: refused },
  { client: 'openai 7', way: 'direct', success, failure: refused },
  { client: 'AI SDK (openai)', way: 'direct', success, failure: refusedWithoutCode },
  { client: 'openai 7 (stream)', way: 'direct', success, failure: { code: 'moderation_blocked' } },
  { client: 'fetch', way: 'direct', success, failure: { status: 200, code: 'moderation_blocked' } },
  { client: 'openai 6', way: 'nginx', success, failure: noData },
  {
    client: 'AI SDK (openai-compatible)',
    way: 'nginx',
    success,
    failure: { message: 'Invalid JSON response' },
  },
  { client: 'openai 7 (stream)', way: 'nginx', success, failure: { code: 'moderation_blocked' } },
  { client: 'openai 6', way: 'nginx as documented', success, failure: noData },
  { client: 'openai 6', way: 'nginx with HTTP/1.1', success },
  { client: 'openai 7', way: 'HAProxy', success, failure: refused },
  { client: 'AI SDK (openai)', way: 'HAProxy', success, failure: refusedWithoutCode },
  { client: 'openai 7 (stream)', way: 'HAProxy', success },
];

const isPossible = ({ client, way }: Row) => {
  if (client !== 'fetch' && !clients) return false;
  return way === 'direct' || (way === 'HAProxy' ? haproxy : nginx) !== undefined;
};

const cases = rows
  .filter(isPossible)
  .flatMap(({ client, way, success, failure }) => [
    { client, way, end: 'succeeds', words: '', expected: success },
    ...(failure
      ? [{ client, way, end: 'fails', words: '[studio:moderation=violence]', expected: failure }]
      : []),
  ]);

describe(`a call of ${callSeconds} s`, { timeout: (callSeconds + 90) * 1000 }, () => {
  const promptOf = ({ client, way, end, words }: (typeof cases)[number]) =>
    `${client}, ${way}, ${end} ${words} ${latency}`;
  let outcomes: Promise<Outcome>[];
  // All calls begin together, because each takes minutes and almost no work.
  beforeAll(() => {
    outcomes = cases.map((cell) => {
      const call = cell.client === 'fetch' ? plainFetch : callOf(cell.client);
      return call(`${urls.get(cell.way)}/v1`, promptOf(cell));
    });
    for (const outcome of outcomes) outcome.catch(() => {});
  });

  it.each(cases.map((cell, index) => ({ ...cell, index })))(
    'of $client, $way, $end as documented, with one call of the provider',
    async ({ index, expected, ...cell }) => {
      expect(await outcomes[index]).toMatchObject(expected);
      const calls = services.flatMap(({ studio }) => imageCalls(studio, promptOf({ ...cell, expected })));
      expect(calls).toHaveLength(1);
    },
  );
});
