import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { leaseMs, registeredEndpoint } from '../support/delivery-run.ts';

describe('an internal fault', () => {
  it('keeps every delivery and backs off if a secret cannot be decrypted', async () => {
    const { webhooks, destination, endpoint, pending, statuses, health } = await registeredEndpoint();
    await pending(3);
    const { secrets = [] } = (await webhooks.endpoints.get('acme', endpoint.id)) ?? {};
    const set = (kept: typeof secrets) =>
      webhooks.endpoints.update({ tenant: 'acme', id: endpoint.id }, (now) => ({ ...now, secrets: kept }));
    await set([{ encrypted: 'v1.of-another-deployment' }]);
    expect(await webhooks.empty(endpoint.id)).toEqual({ againInMs: 5_000 });
    expect(destination.requests).toEqual([]);
    expect(await statuses()).toEqual(['pending', 'pending', 'pending']);
    expect(await health()).toMatchObject({ failures: 0 });
    await set(secrets);
    expect(await webhooks.empty(endpoint.id)).toEqual({ done: true });
    expect(destination.times().size).toBe(3);
  });

  it('waits for the other attempts after one fails internally, before another run may begin', async () => {
    const { webhooks, destination, endpoint, statuses, openRun } = await registeredEndpoint();
    const { run, release } = await openRun(20);
    const [first] = (await webhooks.deliveriesTo(endpoint.id)).toReversed();
    // The row is unreadable, as a row written by another release may be.
    const [sent] = destination.requests;
    const broken = (await webhooks.deliveriesTo(endpoint.id)).find(
      ({ eventId }) => eventId === sent?.headers['webhook-id'],
    );
    expect(first).toBeDefined();
    const key = `${webhooks.prefix}:{acme}:dlv:${broken?.id}`;
    const row = (await webhooks.redis.get(key)) ?? '';
    await webhooks.redis.set(key, `9 ${row.slice(2, 40)}`);
    release();
    expect(await run).toEqual({ againInMs: 5_000 });
    expect(destination.requests.length).toBeLessThan(20);
    await webhooks.redis.set(key, row);
    await webhooks.emptyForGood(endpoint.id);
    expect(new Set(await statuses())).toEqual(new Set(['delivered']));
    expect(destination.times().size).toBe(20);
  });
});

describe('a run that cannot release its lease', () => {
  it('blocks other processes until an unreleased lease expires, but lets its own process continue', async () => {
    const { webhooks, endpoint, statuses, openRun } = await registeredEndpoint();
    const { run, release } = await openRun(1);
    const ended = once(webhooks.redis, 'end');
    webhooks.redis.disconnect();
    await ended;
    release();
    expect(await run).toEqual({ againInMs: 5_000 });
    await webhooks.redis.connect();
    expect(await webhooks.emptyElsewhere(endpoint.id)).toEqual({ againInMs: leaseMs });
    expect(await webhooks.empty(endpoint.id)).toEqual({ done: true });
    expect(await statuses()).toEqual(['delivered']);
  });
});

describe('a run that receives no confirmation of its lease', () => {
  it('lets only the same process continue with a lease whose confirmation was lost', async () => {
    const { webhooks, endpoint, pending, statuses } = await registeredEndpoint();
    // Redis must know the script beforehand: an unknown script is sent a second time, which would fail after the wait.
    await webhooks.empty(endpoint.id);
    await pending(1);
    // Redis reads the next command on this connection only after this wait, which exceeds every command timeout.
    const waiting = webhooks.redis.pipeline().blpop(`${webhooks.prefix}:nothing`, 3).exec();
    await expect(webhooks.empty(endpoint.id)).rejects.toMatchObject({ code: 'store_unavailable' });
    await waiting?.catch(() => null);
    expect(await webhooks.emptyElsewhere(endpoint.id)).toEqual({ againInMs: leaseMs });
    expect(await statuses()).toEqual(['pending']);
    expect(await webhooks.empty(endpoint.id)).toEqual({ done: true });
    expect(await statuses()).toEqual(['delivered']);
  });
});

describe('expired payloads', () => {
  it('fails a delivery whose payload is gone without an attempt, and sends the others', async () => {
    const { webhooks, destination, endpoint, pending } = await registeredEndpoint();
    await pending(3);
    const [gone] = await webhooks.deliveriesTo(endpoint.id);
    await webhooks.redis.unlink(`${webhooks.prefix}:{acme}:evt:${gone?.eventId}`);
    expect(await webhooks.empty(endpoint.id)).toEqual({ done: true });
    expect(destination.times().size).toBe(2);
    expect(await webhooks.deliveries.get('acme', gone?.id ?? '')).toMatchObject({
      ...{ status: 'failed', outcome: 'erased', attempts: 0 },
    });
  });
});
