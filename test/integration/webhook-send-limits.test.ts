import { describe, expect, it } from 'vitest';
import { registeredEndpoint } from '../support/delivery-run.ts';
import { connectWebhooks, endpointServerOf, type Webhooks } from '../support/webhook-core.ts';

const endpoints = 30;

/** Registers many endpoints at one host, each at a port or path of its own. */
async function registerAll(webhooks: Webhooks, urlOf: (i: number) => string) {
  const all = Array.from({ length: endpoints }, (_, i) =>
    webhooks.register({ url: urlOf(i), events: ['image.queued'] }),
  );
  return (await Promise.all(all)).map(({ id }) => id);
}

const runAll = (webhooks: Webhooks, ids: readonly string[]) =>
  Promise.all(ids.map((id) => webhooks.empty(id)));

describe('many endpoints at one host', () => {
  it('receive no more requests per minute than the limit of a host, and every delivery later', async () => {
    const limit = 10;
    const webhooks = await connectWebhooks({ requestsPerMinute: { perHost: limit, perTenant: 1_000 } });
    const destination = await endpointServerOf();
    const ids = await registerAll(webhooks, (i) => `${destination.url}/${i}`);
    const [jobId] = await webhooks.emit(1);
    await webhooks.dispatch();
    await runAll(webhooks, ids);
    expect(destination.requests).toHaveLength(limit);

    const { deliveries } = await webhooks.listDeliveries('acme', { jobId, limit: 100 });
    const waiting = deliveries.filter(({ status }) => status === 'pending');
    expect(waiting).toHaveLength(endpoints - limit);
    for (const delivery of waiting) {
      expect(delivery).toMatchObject({ delayed_by: 'host_limit', attempt_count: 0 });
      expect(Date.parse(delivery.next_attempt_at ?? '')).toBeGreaterThan(webhooks.clock() + 49_000);
    }
    webhooks.passTime(55_000);
    await runAll(webhooks, ids);
    expect(destination.requests).toHaveLength(limit);
    for (const minutes of [2, 3]) {
      webhooks.passTime(70_000);
      await runAll(webhooks, ids);
      expect(destination.requests).toHaveLength(minutes * limit);
    }
  });

  it('share one circuit breaker: a host that cannot be reached gets ten attempts and then single probes', async () => {
    const webhooks = await connectWebhooks();
    const destination = await endpointServerOf((request) => request.socket.destroy());
    const ids = await registerAll(webhooks, (i) => `${destination.url}/${i}`);
    await webhooks.emit(1);
    await webhooks.dispatch();
    for (const id of ids) await webhooks.empty(id);
    expect(destination.requests).toHaveLength(10);
    webhooks.passTime(16_000);
    for (const id of ids) await webhooks.empty(id);
    expect(destination.requests).toHaveLength(11);
  });

  it('do not block each other by error statuses, because the host responds', async () => {
    const webhooks = await connectWebhooks();
    const destination = await endpointServerOf(500);
    const ids = await registerAll(webhooks, (i) => `${destination.url}/${i}`);
    await webhooks.emit(1);
    await webhooks.dispatch();
    for (const id of ids) await webhooks.empty(id);
    expect(destination.requests).toHaveLength(endpoints);
  });
});

describe('deliveries that wait for a slot of a slow endpoint', () => {
  it('count against no limit, so that the other endpoints of the tenant get their events', async () => {
    const limits = { perHost: 1_000, perTenant: 20 };
    const { webhooks, openRun } = await registeredEndpoint({ requestsPerMinute: limits });
    const { run, release } = await openRun(20);
    const other = await endpointServerOf();
    const { id } = await webhooks.register({ url: other.url, events: ['image.queued'] });
    await webhooks.emit(4);
    await webhooks.dispatch();
    await webhooks.empty(id);
    expect(other.requests).toHaveLength(4);
    release();
    await run;
  });

  it('use the whole limit of a host in each minute', async () => {
    const limits = { perHost: 20, perTenant: 1_000 };
    const { webhooks, destination, endpoint, pending } = await registeredEndpoint({
      requestsPerMinute: limits,
    });
    destination.response((_request, response) => {
      webhooks.passTime(400);
      response.end();
    });
    await pending(60);
    for (let i = 0; i < 10; i++) await webhooks.empty(endpoint.id);
    expect(destination.requests).toHaveLength(20);
  });
});

describe('tests of an endpoint', () => {
  it('count against the limits of a minute, and are refused above them with the time to wait', async () => {
    const webhooks = await connectWebhooks({ requestsPerMinute: { perHost: 3, perTenant: 1_000 } });
    const destination = await endpointServerOf();
    const endpoint = await webhooks.register({ url: destination.url });
    for (let i = 0; i < 3; i++) await webhooks.testEndpoint('acme', endpoint.id);
    const refused = expect.objectContaining({
      code: 'too_many_requests',
      retryAfterSeconds: expect.any(Number),
    });
    await expect(webhooks.testEndpoint('acme', endpoint.id)).rejects.toEqual(refused);
    expect(destination.requests).toHaveLength(3);
    webhooks.passTime(70_000);
    expect(await webhooks.testEndpoint('acme', endpoint.id)).toMatchObject({ status: 'delivered' });
  });

  it('are sent although the circuit breaker of the host is open', async () => {
    const webhooks = await connectWebhooks();
    const destination = await endpointServerOf((request) => request.socket.destroy());
    const ids = await registerAll(webhooks, (i) => `${destination.url}/${i}`);
    await webhooks.emit(1);
    await webhooks.dispatch();
    await runAll(webhooks, ids);
    destination.response(200);
    expect(await webhooks.testEndpoint('acme', ids[0] ?? '')).toMatchObject({ status: 'delivered' });
  });
});
