import { describe, expect, it, onTestFinished } from 'vitest';
import { connectWebhooks, dayMs, hourMs, receiverOf, type Webhooks } from '../support/webhook-core.ts';
import { startRawReceiver } from '../support/webhook-endpoints.ts';

/** An endpoint that wants one event of each job. */
async function endpointAt(url: string) {
  const webhooks = await connectWebhooks();
  const endpoint = await webhooks.register({ url, events: ['image.queued'] });
  const statuses = async () => (await webhooks.deliveriesTo(endpoint.id)).map(({ status }) => status);
  return {
    webhooks,
    endpoint,
    statuses,
    async mail(count: number) {
      await webhooks.order(count);
      await webhooks.announce();
    },
    shown: () => webhooks.manageEndpoints.get('acme', endpoint.id),
  };
}

describe('a receiver that is dead', () => {
  it('with 200 deliveries waiting gets about ten connections, then a single one after each rest', async () => {
    const dead = await startRawReceiver((socket) => socket.destroy());
    onTestFinished(dead.close);
    const { webhooks, endpoint, mail, shown } = await endpointAt(`http://127.0.0.1:${dead.port}/`);
    await mail(200);
    expect((await webhooks.emptyAll(endpoint.id)) ?? 0).toBeGreaterThanOrEqual(15_000);
    const first = dead.connections();
    expect(first).toBeGreaterThanOrEqual(5);
    expect(first).toBeLessThanOrEqual(12);

    for (let probe = 1; probe <= 12; probe++) {
      const { resting_until } = (await shown()).health;
      const restMs = Date.parse(resting_until ?? '') - webhooks.clock();
      expect(restMs).toBeGreaterThan(0);
      expect(restMs).toBeLessThanOrEqual(300_000);
      webhooks.passTime(restMs - 1);
      await webhooks.emptyAll(endpoint.id);
      expect(dead.connections()).toBe(first + probe - 1);
      webhooks.passTime(1);
      await webhooks.emptyAll(endpoint.id);
      expect(dead.connections()).toBe(first + probe);
    }
  });

  it('gets nothing while it rests, whatever turns up', async () => {
    const receiver = await receiverOf(500);
    const { webhooks, endpoint, mail } = await endpointAt(receiver.url);
    await mail(20);
    await webhooks.emptyAll(endpoint.id);
    const before = receiver.requests.length;
    for (let i = 0; i < 5; i++) {
      await mail(10);
      await webhooks.emptyAll(endpoint.id);
    }
    expect(receiver.requests).toHaveLength(before);
  });

  it('gets everything once it is back, each event once more', async () => {
    const receiver = await receiverOf(500);
    const { webhooks, endpoint, statuses, mail, shown } = await endpointAt(receiver.url);
    await mail(200);
    await webhooks.emptyAll(endpoint.id);
    const failed = receiver.requests.length;
    receiver.answer(200);
    await webhooks.emptyForGood(endpoint.id);
    expect(await statuses()).toEqual(Array.from({ length: 200 }, () => 'delivered'));
    expect(receiver.times().size).toBe(200);
    expect(receiver.requests).toHaveLength(200 + failed);
    expect((await shown()).health).toEqual({
      ...{ consecutive_failures: 0, failing_since: null, resting_until: null },
    });
  });

  it('has what is older than the whole schedule given up unseen, and only that', async () => {
    const receiver = await receiverOf(500);
    const { webhooks, endpoint, mail } = await endpointAt(receiver.url);
    await mail(100);
    await webhooks.emptyAll(endpoint.id);
    const before = receiver.requests.length;
    webhooks.passTime(4 * dayMs);
    await mail(1);
    await webhooks.emptyAll(endpoint.id);
    // One probe, with what is still worth it.
    expect(receiver.requests).toHaveLength(before + 1);
    const [young, ...old] = await webhooks.deliveriesTo(endpoint.id);
    expect(young).toMatchObject({ status: 'pending', attempts: 1 });
    expect(old).toHaveLength(100);
    for (const each of old) expect(each).toMatchObject({ status: 'failed', outcome: 'receiver_unavailable' });
  });

  it('that is only unlucky now and then never rests', async () => {
    const receiver = await receiverOf();
    const { webhooks, endpoint, mail, statuses } = await endpointAt(receiver.url);
    let count = 0;
    receiver.answer((_request, response) => response.writeHead(++count % 3 === 0 ? 500 : 200).end());
    await mail(60);
    expect(await webhooks.emptyAll(endpoint.id)).toBe(5_000);
    expect(receiver.times().size).toBe(60);
    await webhooks.emptyForGood(endpoint.id);
    expect(new Set(await statuses())).toEqual(new Set(['delivered']));
  });
});

describe('a host that jobs named', () => {
  /** Deliveries of jobs that each name a path of one host. */
  async function mailTo(webhooks: Webhooks, url: string, ...paths: string[]) {
    for (const path of paths) await webhooks.order(1, { url: new URL(path, url).href });
    await webhooks.announce();
  }
  const outcomes = async (webhooks: Webhooks, target: string) =>
    Object.fromEntries(
      (await webhooks.deliveriesTo(target)).map(({ url, outcome }) => [new URL(url).pathname, outcome]),
    );

  it('delivers to its other addresses at once, whatever one of them answers', async () => {
    const webhooks = await connectWebhooks();
    const receiver = await receiverOf();
    receiver.answer((request, response) => {
      const status = Number(request.url?.slice(1)) || 200;
      response.writeHead(status, { 'retry-after': '600' }).end();
    });
    const target = webhooks.hostTarget(receiver.url);
    await mailTo(webhooks, receiver.url, '/500', '/503', '/429', '/404', '/400', '/502', '/good');
    await webhooks.emptyAll(target);
    expect(await outcomes(webhooks, target)).toEqual({
      ...{ '/500': 'http_500', '/503': 'http_503', '/429': 'http_429', '/404': 'http_404' },
      ...{ '/400': 'http_400', '/502': 'http_502', '/good': 'delivered' },
    });
  });

  it('rests when it cannot be reached', async () => {
    const dead = await startRawReceiver((socket) => socket.destroy());
    onTestFinished(dead.close);
    const webhooks = await connectWebhooks();
    const url = `http://127.0.0.1:${dead.port}/`;
    await mailTo(webhooks, url, ...Array.from({ length: 40 }, (_, i) => `/${i}`));
    expect(await webhooks.emptyAll(webhooks.hostTarget(url))).toBeGreaterThanOrEqual(15_000);
    expect(dead.connections()).toBeLessThanOrEqual(12);
  });
});

describe('the log of a receiver that rests', () => {
  it('says when its deliveries are tried next, which is not before its rest is over', async () => {
    const receiver = await receiverOf(500);
    const { webhooks, endpoint, mail, shown } = await endpointAt(receiver.url);
    await mail(20);
    await webhooks.emptyAll(endpoint.id);
    const { resting_until } = (await shown()).health;
    const { deliveries } = await webhooks.readDeliveries.list('acme', { target: endpoint.id, limit: 100 });
    expect(deliveries).toHaveLength(20);
    for (const { next_attempt_at } of deliveries) expect(next_attempt_at).toBe(resting_until);
  });
});

describe('days of failures', () => {
  /** One event every six hours, tried when it comes and whenever somebody looks, for a number of days. */
  async function sixHourly(
    { webhooks, endpointId }: { webhooks: Webhooks; endpointId: string },
    days: number,
  ) {
    for (let i = 0; i < days * 4; i++) {
      await webhooks.order();
      await webhooks.announce();
      await webhooks.emptyAll(endpointId);
      webhooks.passTime(6 * hourMs);
    }
  }

  it('five in a row switch an endpoint off, not less, with the moment in its history', async () => {
    const receiver = await receiverOf(500);
    const { webhooks, endpoint, shown } = await endpointAt(receiver.url);
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
    const sent = receiver.requests.length;
    await sixHourly(given, 1);
    expect(receiver.requests).toHaveLength(sent);
  });

  it('are counted anew after one success', async () => {
    const receiver = await receiverOf(500);
    const { webhooks, endpoint, shown } = await endpointAt(receiver.url);
    const given = { webhooks, endpointId: endpoint.id };
    await sixHourly(given, 4);
    receiver.answer(200);
    await sixHourly(given, 0.25);
    receiver.answer(500);
    const startedAt = webhooks.clock();
    await sixHourly(given, 5);
    expect(await shown()).toMatchObject({
      status: 'enabled',
      health: { failing_since: new Date(startedAt).toISOString() },
    });
    await sixHourly(given, 0.25);
    expect(await shown()).toMatchObject({ status: 'disabled', disabled_reason: 'failing' });
  });

  it('never switch off the host that a job named: its deliveries are given up one by one', async () => {
    const webhooks = await connectWebhooks();
    const receiver = await receiverOf(410);
    await webhooks.order(3, { url: receiver.url });
    await webhooks.announce();
    const target = webhooks.hostTarget(receiver.url);
    await webhooks.emptyForGood(target);
    const deliveries = await webhooks.deliveriesTo(target);
    expect(deliveries.map(({ status, outcome }) => [status, outcome])).toEqual(
      Array.from({ length: 3 }, () => ['failed', 'gone']),
    );
    receiver.answer(200);
    webhooks.passTime(1_000);
    await webhooks.order(1, { url: receiver.url });
    await webhooks.announce();
    await webhooks.emptyForGood(target);
    expect((await webhooks.deliveriesTo(target))[0]).toMatchObject({ status: 'delivered' });
  });
});
