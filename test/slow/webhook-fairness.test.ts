import { describe, expect, it, vi } from 'vitest';
import { connectWebhooks, endpointServerOf } from '../support/webhook-core.ts';

const waitFor = (check: () => unknown, timeout = 30_000) => vi.waitFor(check, { timeout, interval: 20 });

describe('one hanging endpoint among 50', () => {
  it('delivers everything to 49 endpoints while one hangs, with two delivery slots in total', async () => {
    const webhooks = await connectWebhooks({ realTime: true });
    // Accepts every connection and never responds.
    const hanging = await endpointServerOf(() => undefined);
    const others = await Promise.all(Array.from({ length: 49 }, () => endpointServerOf()));
    for (const { url } of [hanging, ...others]) await webhooks.register({ url, events: ['image.queued'] });
    await webhooks.emit(5);
    // Dispatches everything before any delivery starts, because an earlier run would hang with fewer than five attempts.
    await webhooks.dispatch();
    webhooks.consume(2);
    await waitFor(() => expect(hanging.requests).toHaveLength(5));
    await webhooks.emit(5);
    await waitFor(() => {
      for (const each of others) expect(each.times().size).toBe(10);
    });
    const { deliveries } = await webhooks.deliveries.list('acme', { status: 'pending', limit: 99 });
    // Eight attempts are in flight: the first five, and three that arrived later.
    expect(deliveries.map(({ url, attempts }) => [url, attempts])).toEqual(
      Array.from({ length: 10 }, () => [hanging.url, 0]),
    );
    await waitFor(() => expect(hanging.requests).toHaveLength(8));
  });

  it('releases the slot and the lease of a hanging endpoint within fifteen seconds', async () => {
    // This is the default deadline of a deployment.
    const webhooks = await connectWebhooks({ realTime: true });
    const hanging = await endpointServerOf(() => undefined);
    const endpoint = await webhooks.register({ url: hanging.url, events: ['image.queued'] });
    await webhooks.emit(30);
    await webhooks.dispatch();
    const startedAt = performance.now();
    const result = await webhooks.empty(endpoint.id);
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeGreaterThan(14_900);
    expect(tookMs).toBeLessThan(17_000);
    expect(hanging.requests).toHaveLength(8);
    // The circuit breaker is open now, but the ended run no longer blocks the lease.
    expect(result).toMatchObject({ againInMs: expect.any(Number) });
    const taken = await webhooks.deliveryQueues.acquireLease('acme', endpoint.id, {
      ...{ run: 'next', nowMs: Date.now(), leaseMs: 1_000 },
    });
    expect(taken).toMatchObject({ health: { failures: 8 } });
  });
});

describe('hanging endpoints of one tenant', () => {
  it('limits the slots of a tenant whose endpoints hang, and still delivers for other tenants', async () => {
    const webhooks = await connectWebhooks({ realTime: true, slots: 4 });
    const hanging = await endpointServerOf(() => undefined);
    const names = [1, 2, 3].map((i) => `${hanging.url}/${i}`);
    const endpoints = await Promise.all(
      names.map((url) => webhooks.register({ url, events: ['image.queued'] })),
    );
    await webhooks.emit();
    await webhooks.dispatch();
    const stop = new AbortController();
    const runs = endpoints.slice(0, 2).map(({ id }) => webhooks.empty(id, stop.signal));
    await waitFor(() => expect(hanging.requests).toHaveLength(2));
    expect(await webhooks.empty(endpoints[2]?.id ?? '')).toEqual({ againInMs: 2_000 });
    expect(await webhooks.emptyOf('other', 'host_of_another')).toEqual({ done: true });
    await hanging.close();
    await Promise.all(runs);
    expect(hanging.requests).toHaveLength(2);
  });
});

describe('a slow endpoint', () => {
  it('requeues the rest of a long delivery queue after its slice if the endpoint is slow', async () => {
    const webhooks = await connectWebhooks({ realTime: true });
    const slow = await endpointServerOf((_request, response) => void setTimeout(() => response.end(), 700));
    const endpoint = await webhooks.register({ url: slow.url, events: ['image.queued'] });
    await webhooks.emit(64);
    await webhooks.dispatch();
    const startedAt = performance.now();
    // Delivering everything would take more than five seconds.
    expect(await webhooks.empty(endpoint.id)).toEqual({ againInMs: 0 });
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(await webhooks.deliveryQueues.countPending('acme')).toBe(64 - slow.requests.length);
  });

  it('calls one endpoint at most eight times at once, however many workers there are', async () => {
    const webhooks = await connectWebhooks({ realTime: true });
    let [open, max] = [0, 0];
    const slow = await endpointServerOf((_request, response) => {
      open += 1;
      max = Math.max(max, open);
      setTimeout(() => {
        open -= 1;
        response.end();
      }, 30);
    });
    await webhooks.register({ url: slow.url, events: ['image.queued'] });
    await webhooks.emit(100);
    webhooks.consume(16);
    await waitFor(() => expect(slow.times().size).toBe(100));
    expect(max).toBeLessThanOrEqual(8);
    expect(slow.requests).toHaveLength(100);
  });
});

describe('the dispatch tasks of a delivery queue', () => {
  it('leaves no task for an empty delivery queue, and delivers nothing twice', async () => {
    const webhooks = await connectWebhooks({ realTime: true });
    const endpointServers = await Promise.all(Array.from({ length: 5 }, () => endpointServerOf()));
    for (const { url } of endpointServers) await webhooks.register({ url, events: ['image.queued'] });
    webhooks.consume(8);
    for (let i = 0; i < 20; i++) await webhooks.emit(5);
    await waitFor(async () => {
      for (const each of endpointServers) expect(each.times().size).toBe(100);
      expect(await webhooks.deliveryQueues.countPending('acme')).toBe(0);
    });
    for (const each of endpointServers) expect(each.requests).toHaveLength(100);
    // A task that found an active run sleeps until the lease would have expired, finds nothing and ends.
    await waitFor(
      async () => expect(await webhooks.webhookQueue.counts()).toEqual({ waiting: 0, delayed: 0, active: 0 }),
      40_000,
    );
    for (const each of endpointServers) expect(each.requests).toHaveLength(100);
  });
});
