import { describe, expect, it, onTestFinished } from 'vitest';
import { connectWebhooks, dayMs, endpointServerOf, hourMs, type Webhooks } from '../support/webhook-core.ts';
import { startRawEndpointServer } from '../support/webhook-endpoints.ts';

/** Registers an endpoint that subscribes to one event of each job. */
async function endpointAt(url: string) {
  const webhooks = await connectWebhooks();
  const endpoint = await webhooks.register({ url, events: ['image.queued'] });
  const statuses = async () => (await webhooks.deliveriesTo(endpoint.id)).map(({ status }) => status);
  return {
    webhooks,
    endpoint,
    statuses,
    async pending(count: number) {
      await webhooks.emit(count);
      await webhooks.dispatch();
    },
    shown: () => webhooks.manageEndpoints.get('acme', endpoint.id),
  };
}

describe('the circuit breaker of a destination', () => {
  it('opens about ten connections to a dead endpoint with 200 pending deliveries, then one per cooldown', async () => {
    const dead = await startRawEndpointServer((socket) => socket.destroy());
    onTestFinished(dead.close);
    const { webhooks, endpoint, pending, shown } = await endpointAt(`http://127.0.0.1:${dead.port}/`);
    await pending(200);
    expect((await webhooks.emptyAll(endpoint.id)) ?? 0).toBeGreaterThanOrEqual(15_000);
    const first = dead.connections();
    expect(first).toBeGreaterThanOrEqual(5);
    expect(first).toBeLessThanOrEqual(12);

    for (let probe = 1; probe <= 12; probe++) {
      const { blocked_until } = (await shown()).health;
      const cooldownMs = Date.parse(blocked_until ?? '') - webhooks.clock();
      expect(cooldownMs).toBeGreaterThan(0);
      expect(cooldownMs).toBeLessThanOrEqual(300_000);
      webhooks.passTime(cooldownMs - 1);
      await webhooks.emptyAll(endpoint.id);
      expect(dead.connections()).toBe(first + probe - 1);
      webhooks.passTime(1);
      await webhooks.emptyAll(endpoint.id);
      expect(dead.connections()).toBe(first + probe);
    }
  });

  it('sends nothing to an endpoint while its circuit breaker is open, even if new events arrive', async () => {
    const destination = await endpointServerOf(500);
    const { webhooks, endpoint, pending } = await endpointAt(destination.url);
    await pending(20);
    await webhooks.emptyAll(endpoint.id);
    const before = destination.requests.length;
    for (let i = 0; i < 5; i++) {
      await pending(10);
      await webhooks.emptyAll(endpoint.id);
    }
    expect(destination.requests).toHaveLength(before);
  });

  it('delivers everything once a failing endpoint recovers, with one more attempt per event', async () => {
    const destination = await endpointServerOf(500);
    const { webhooks, endpoint, statuses, pending, shown } = await endpointAt(destination.url);
    await pending(200);
    await webhooks.emptyAll(endpoint.id);
    const failed = destination.requests.length;
    destination.response(200);
    await webhooks.emptyForGood(endpoint.id);
    expect(await statuses()).toEqual(Array.from({ length: 200 }, () => 'delivered'));
    expect(destination.times().size).toBe(200);
    expect(destination.requests).toHaveLength(200 + failed);
    expect((await shown()).health).toEqual({
      ...{ consecutive_failures: 0, failing_since: null, blocked_until: null },
    });
  });

  it('gives up deliveries older than the whole schedule without an attempt, and only those', async () => {
    const destination = await endpointServerOf(500);
    const { webhooks, endpoint, pending } = await endpointAt(destination.url);
    await pending(100);
    await webhooks.emptyAll(endpoint.id);
    const before = destination.requests.length;
    webhooks.passTime(4 * dayMs);
    await pending(1);
    await webhooks.emptyAll(endpoint.id);
    // The single probe carries a delivery that has not expired.
    expect(destination.requests).toHaveLength(before + 1);
    const [young, ...old] = await webhooks.deliveriesTo(endpoint.id);
    expect(young).toMatchObject({ status: 'pending', attempts: 1 });
    expect(old).toHaveLength(100);
    for (const each of old) expect(each).toMatchObject({ status: 'failed', outcome: 'endpoint_unavailable' });
  });

  it('keeps the circuit breaker closed if an endpoint fails only now and then', async () => {
    const destination = await endpointServerOf();
    const { webhooks, endpoint, pending, statuses } = await endpointAt(destination.url);
    let count = 0;
    destination.response((_request, response) => response.writeHead(++count % 3 === 0 ? 500 : 200).end());
    await pending(60);
    expect(await webhooks.emptyAll(endpoint.id)).toBe(5_000);
    expect(destination.times().size).toBe(60);
    await webhooks.emptyForGood(endpoint.id);
    expect(new Set(await statuses())).toEqual(new Set(['delivered']));
  });
});

describe('a host named by jobs', () => {
  /** Creates deliveries of jobs that each name a path of one host. */
  async function pendingFor(webhooks: Webhooks, url: string, ...paths: string[]) {
    for (const path of paths) await webhooks.emit(1, { url: new URL(path, url).href });
    await webhooks.dispatch();
  }
  const outcomes = async (webhooks: Webhooks, destinationKey: string) =>
    Object.fromEntries(
      (await webhooks.deliveriesTo(destinationKey)).map(({ url, outcome }) => [
        new URL(url).pathname,
        outcome,
      ]),
    );

  it('delivers to the other URLs of a host at once, whatever status one of them returns', async () => {
    const webhooks = await connectWebhooks();
    const destination = await endpointServerOf();
    destination.response((request, response) => {
      const status = Number(request.url?.slice(1)) || 200;
      response.writeHead(status, { 'retry-after': '600' }).end();
    });
    const destinationKey = webhooks.hostDestinationKey(destination.url);
    await pendingFor(webhooks, destination.url, '/500', '/503', '/429', '/404', '/400', '/502', '/good');
    await webhooks.emptyAll(destinationKey);
    expect(await outcomes(webhooks, destinationKey)).toEqual({
      ...{ '/500': 'http_500', '/503': 'http_503', '/429': 'http_429', '/404': 'http_404' },
      ...{ '/400': 'http_400', '/502': 'http_502', '/good': 'delivered' },
    });
  });

  it('opens the circuit breaker of a host that cannot be reached', async () => {
    const dead = await startRawEndpointServer((socket) => socket.destroy());
    onTestFinished(dead.close);
    const webhooks = await connectWebhooks();
    const url = `http://127.0.0.1:${dead.port}/`;
    await pendingFor(webhooks, url, ...Array.from({ length: 40 }, (_, i) => `/${i}`));
    expect(await webhooks.emptyAll(webhooks.hostDestinationKey(url))).toBeGreaterThanOrEqual(15_000);
    expect(dead.connections()).toBeLessThanOrEqual(12);
  });
});

describe('the log of a destination with an open circuit breaker', () => {
  it('lists the next attempt of each delivery, not before the end of the cooldown', async () => {
    const destination = await endpointServerOf(500);
    const { webhooks, endpoint, pending, shown } = await endpointAt(destination.url);
    await pending(20);
    await webhooks.emptyAll(endpoint.id);
    const { blocked_until } = (await shown()).health;
    const { deliveries } = await webhooks.listDeliveries('acme', {
      destinationKey: endpoint.id,
      limit: 100,
    });
    expect(deliveries).toHaveLength(20);
    for (const { next_attempt_at } of deliveries) expect(next_attempt_at).toBe(blocked_until);
  });
});

describe('days of failures', () => {
  /** Emits one event every six hours for a number of days, and attempts its delivery at once. */
  async function sixHourly(
    { webhooks, endpointId }: { webhooks: Webhooks; endpointId: string },
    days: number,
  ) {
    for (let i = 0; i < days * 4; i++) {
      await webhooks.emit();
      await webhooks.dispatch();
      await webhooks.emptyAll(endpointId);
      webhooks.passTime(6 * hourMs);
    }
  }

  it('disables an endpoint after five days of failures, not earlier, and records the time in its history', async () => {
    const destination = await endpointServerOf(500);
    const { webhooks, endpoint, shown } = await endpointAt(destination.url);
    const given = { webhooks, endpointId: endpoint.id };
    const startedAt = webhooks.clock();
    await sixHourly(given, 5);
    expect(await shown()).toMatchObject({
      status: 'enabled',
      health: { failing_since: new Date(startedAt).toISOString() },
    });
    await sixHourly(given, 0.25);
    const disabledAt = new Date(startedAt + 5 * dayMs).toISOString();
    expect(await shown()).toMatchObject({
      ...{ status: 'disabled', disabled_reason: 'failing', disabled_at: disabledAt },
      history: [
        { what: 'created' },
        { what: 'disabled', at: disabledAt, detail: expect.stringContaining('days') },
      ],
    });
    const outcomes = new Set((await webhooks.deliveriesTo(endpoint.id)).map(({ status }) => status));
    expect(outcomes).toEqual(new Set(['failed']));
    const sent = destination.requests.length;
    await sixHourly(given, 1);
    expect(destination.requests).toHaveLength(sent);
  });

  it('counts the days of failures anew after one success', async () => {
    const destination = await endpointServerOf(500);
    const { webhooks, endpoint, shown } = await endpointAt(destination.url);
    const given = { webhooks, endpointId: endpoint.id };
    await sixHourly(given, 4);
    destination.response(200);
    await sixHourly(given, 0.25);
    destination.response(500);
    const startedAt = webhooks.clock();
    await sixHourly(given, 5);
    expect(await shown()).toMatchObject({
      status: 'enabled',
      health: { failing_since: new Date(startedAt).toISOString() },
    });
    await sixHourly(given, 0.25);
    expect(await shown()).toMatchObject({ status: 'disabled', disabled_reason: 'failing' });
  });

  it('never disables a host named by jobs, and gives up its deliveries one by one', async () => {
    const webhooks = await connectWebhooks();
    const destination = await endpointServerOf(410);
    await webhooks.emit(3, { url: destination.url });
    await webhooks.dispatch();
    const destinationKey = webhooks.hostDestinationKey(destination.url);
    await webhooks.emptyForGood(destinationKey);
    const deliveries = await webhooks.deliveriesTo(destinationKey);
    expect(deliveries.map(({ status, outcome }) => [status, outcome])).toEqual(
      Array.from({ length: 3 }, () => ['failed', 'gone']),
    );
    destination.response(200);
    webhooks.passTime(1_000);
    await webhooks.emit(1, { url: destination.url });
    await webhooks.dispatch();
    await webhooks.emptyForGood(destinationKey);
    expect((await webhooks.deliveriesTo(destinationKey))[0]).toMatchObject({ status: 'delivered' });
  });
});
