import { describe, expect, it, vi } from 'vitest';
import { connectWebhooks, endpointServerOf } from '../support/webhook-core.ts';

const waitFor = (check: () => unknown, timeout = 30_000) => vi.waitFor(check, { timeout, interval: 20 });

describe('of 50 receivers one hangs', () => {
  it('and all deliveries of the others arrive while it does, with two places for all of them', async () => {
    const webhooks = await connectWebhooks({ realTime: true });
    // Takes every connection and answers none.
    const hanging = await endpointServerOf(() => undefined);
    const others = await Promise.all(Array.from({ length: 49 }, () => endpointServerOf()));
    for (const { url } of [hanging, ...others]) await webhooks.register({ url, events: ['image.queued'] });
    await webhooks.emit(5);
    // Before anything is delivered: a run that came in between would try what is there and hang with fewer than five.
    await webhooks.dispatch();
    webhooks.consume(2);
    await waitFor(() => expect(hanging.requests).toHaveLength(5));
    await webhooks.emit(5);
    await waitFor(() => {
      for (const each of others) expect(each.times().size).toBe(10);
    });
    const { deliveries } = await webhooks.deliveries.list('acme', { status: 'pending', limit: 99 });
    // Its first attempts are still under way; eight in all are, with those that came after them.
    expect(deliveries.map(({ url, attempts }) => [url, attempts])).toEqual(
      Array.from({ length: 10 }, () => [hanging.url, 0]),
    );
    await waitFor(() => expect(hanging.requests).toHaveLength(8));
  });

  it('gives its place back within fifteen seconds, and the right to its mailbox with it', async () => {
    // The deployment's own deadline.
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
    // It rests now; who comes is not kept out by the one who was there.
    expect(result).toMatchObject({ againInMs: expect.any(Number) });
    const taken = await webhooks.deliveryQueues.acquireLease('acme', endpoint.id, {
      ...{ run: 'next', nowMs: Date.now(), leaseMs: 1_000 },
    });
    expect(taken).toMatchObject({ health: { failures: 8 } });
  });
});

describe('receivers of one tenant that hang', () => {
  it('take no more places than are for one tenant: the rest of its mail stands back, that of others goes out', async () => {
    const webhooks = await connectWebhooks({ realTime: true, slotsPerTenant: 2 });
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

describe('a receiver that is slow', () => {
  it('with a full mailbox does not keep its place for long: what is left stands back in line', async () => {
    const webhooks = await connectWebhooks({ realTime: true });
    const slow = await endpointServerOf((_request, response) => void setTimeout(() => response.end(), 700));
    const endpoint = await webhooks.register({ url: slow.url, events: ['image.queued'] });
    await webhooks.emit(64);
    await webhooks.dispatch();
    const startedAt = performance.now();
    // All of it would take more than five seconds.
    expect(await webhooks.empty(endpoint.id)).toEqual({ againInMs: 0 });
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(await webhooks.deliveryQueues.countPending('acme')).toBe(64 - slow.requests.length);
  });

  it('is never called by more than eight at a time, however many workers there are', async () => {
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

describe('the tasks of many wakes', () => {
  it('are gone when the mail is: nothing sleeps for an empty mailbox, and nothing is delivered twice', async () => {
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
    // Those that found a run under way sleep until its right would have ended, find nothing, and go.
    await waitFor(
      async () => expect(await webhooks.webhookQueue.counts()).toEqual({ waiting: 0, delayed: 0, active: 0 }),
      40_000,
    );
    for (const each of endpointServers) expect(each.requests).toHaveLength(100);
  });
});
