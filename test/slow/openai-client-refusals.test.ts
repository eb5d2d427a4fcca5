import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type HttpProxy, startHttpProxy } from '../support/http-proxy.ts';
import { type ManagedKeys, manageKeysOf } from '../support/managed-keys.ts';
import { failureOf, type ImageClient, loadClients } from '../support/openai-clients.ts';
import { startTestRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls, testKeys } from '../support/service-environment.ts';

/** Drives unmodified clients into every refusal that the running service sends before a job exists. */

const clients = await loadClients();
const all: readonly ImageClient[] = clients ? [...clients.all, ...clients.streams] : [];

let service: TestService;
let keys: ManagedKeys;
beforeAll(async () => {
  service = await startService();
  keys = manageKeysOf(service.url);
  return service.close;
});

/** Starts a proxy that counts the requests of one client. `first` runs before the first request is forwarded. */
async function countedRequests(
  to: TestService,
  first: () => Promise<void> = async () => {},
): Promise<HttpProxy> {
  let ready: Promise<void> | undefined;
  const proxy = await startHttpProxy(async () => {
    ready ??= first();
    await ready;
    return to.url;
  });
  onTestFinished(proxy.close);
  return proxy;
}

/** Returns the statuses of the calls, without the downloads of clients that receive links. */
const statusesOf = ({ seen }: HttpProxy) =>
  seen.filter(({ path }) => path === '/v1/images/generations').map(({ status }) => status);

/** Calls the service with a client and a key. */
const generate = (client: ImageClient, { url }: HttpProxy, { apiKey, prompt }: Record<string, string>) =>
  client.generate(
    { baseUrl: `${url}/v1`, apiKey: apiKey ?? '' },
    { prompt: prompt ?? '', model: 'gpt-image-2' },
  );

describe.runIf(clients)('a refusal before a job exists', () => {
  it.each(all)(
    '402 of an exhausted budget ends the call of $name after one request, unpaid',
    async (client) => {
      const tenant = `spent-${all.indexOf(client)}`;
      const budgets = [{ window: 'total', limit_micro_usd: 0 }];
      const { key: apiKey } = await keys.create({ tenant, budgets });
      const proxy = await countedRequests(service);
      const prompt = `Above the budget of ${client.name}.`;
      const failure = await failureOf(generate(client, proxy, { apiKey, prompt }));
      expect(failure).toMatchObject({ status: 402, message: expect.stringContaining('budget') });
      expect(statusesOf(proxy)).toEqual([402]);
      expect(imageCalls(service.studio, prompt)).toHaveLength(0);
    },
  );

  it.each(all)(
    '429 of a limit of requests is retried by $name after Retry-After, with one payment',
    async (client) => {
      // A request is free every five seconds.
      const limits = { requests_per_minute: 12 };
      const key = await keys.create({ tenant: `limited-${all.indexOf(client)}`, limits });
      // The limit is used up when the client calls, because some clients need seconds to start.
      const proxy = await countedRequests(service, async () => {
        let used = await keys.callerOf(key).get('/v1/models');
        while (used.status === 200) used = await keys.callerOf(key).get('/v1/models');
      });
      const prompt = `Above the limit of ${client.name} with ${key.id}.`;
      const images = await generate(client, proxy, { apiKey: key.key, prompt });
      expect(images).toHaveLength(1);
      // A retry before the time of Retry-After would get another 429.
      expect(statusesOf(proxy)).toEqual([429, 200]);
      expect(imageCalls(service.studio, prompt)).toHaveLength(1);
    },
  );

  it('503 without Redis is retried by every client, which then gets its image for one payment', async () => {
    const redis = await startTestRedis();
    const refused = await startService({ REDIS_URL: redis.url });
    onTestFinished(async () => {
      await refused.close();
      await redis.stop();
    });
    const proxy = await startHttpProxy(() => refused.url);
    onTestFinished(proxy.close);
    await redis.kill9();
    const calls = all.map((client) => {
      const prompt = `Through the outage for ${client.name}.`;
      return generate(client, proxy, { apiKey: testKeys.acme, prompt });
    });
    const results = Promise.all(calls);
    // If the poll fails first, a rejection would count as unhandled.
    results.catch(() => {});
    await expect
      .poll(() => statusesOf(proxy).slice(0, all.length), { timeout: 20_000 })
      .toEqual(all.map(() => 503));
    await redis.restart();
    for (const images of await results) expect(images).toHaveLength(1);
    for (const { name } of all) expect(imageCalls(refused.studio, `for ${name}.`), name).toHaveLength(1);
  });
});
