import { describe, expect, it } from 'vitest';
import { leaseMs, maxConcurrent, registeredEndpoint, sliceMs, withRetry } from '../support/delivery-run.ts';
import { author, endpointServerOf, held, isSignedWith } from '../support/webhook-core.ts';

/** Time after which a run renews its lease. */
const renewalMs = 2_501;

describe('concurrent runs of one delivery queue', () => {
  it('rejects a second run of a delivery queue, and the first run also delivers what arrived during it', async () => {
    const { webhooks, destination, endpoint, pending, statuses, openRun } = await registeredEndpoint();
    const { run, release } = await openRun(maxConcurrent);
    await pending(4);
    expect(await webhooks.empty(endpoint.id)).toEqual({ againInMs: leaseMs });
    expect(destination.requests).toHaveLength(maxConcurrent);
    destination.response(200);
    release();
    expect(await run).toEqual({ done: true });
    expect(await statuses()).toEqual(Array.from({ length: maxConcurrent + 4 }, () => 'delivered'));
    expect(destination.requests).toHaveLength(maxConcurrent + 4);
  });

  it.each([200, 500, 410])(
    'delivers everything after the lease of a run expired, although its late responses are %i',
    async (late) => {
      const { webhooks, destination, endpoint, health, openRun } = await registeredEndpoint();
      const { run: first, release } = await openRun(20, { status: late });
      webhooks.passTime(leaseMs);
      destination.response(200);
      expect(await webhooks.emptyElsewhere(endpoint.id)).toEqual({ done: true });
      release();
      await first;
      const deliveries = await webhooks.deliveriesTo(endpoint.id);
      expect(deliveries.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 'delivered'));
      // The log lists the attempts of both runs, because both were sent.
      expect(deliveries.map(({ attempts }) => attempts).sort()).toEqual([
        ...Array.from({ length: 12 }, () => 1),
        ...Array.from({ length: 8 }, () => 2),
      ]);
      expect(await webhooks.deliveryQueues.countPending('acme')).toBe(0);
      // Only the run that holds the lease may update the health of the destination.
      expect(await health()).toMatchObject({ failures: 0 });
    },
  );

  it('leaves the lease with its current holder when an overtaken run ends', async () => {
    const { webhooks, destination, endpoint, openRun } = await registeredEndpoint();
    const { run: first, release } = await openRun(2);
    const secondResponses = held();
    webhooks.passTime(leaseMs);
    destination.response(secondResponses.listener(200));
    const second = webhooks.empty(endpoint.id);
    await expect.poll(() => destination.requests.length, withRetry).toBe(4);
    release();
    expect(await first).toEqual({ done: true });
    expect(await webhooks.empty(endpoint.id)).toEqual({ againInMs: leaseMs });
    secondResponses.release();
    expect(await second).toEqual({ done: true });
  });
});

describe('a hanging delivery', () => {
  it('delivers waiting and new deliveries while another delivery to the same destination hangs', async () => {
    const { destination, pending, delivered, openRun } = await registeredEndpoint();
    const { run, release } = await openRun(1);
    destination.response(200);
    await pending(70);
    await expect.poll(delivered, withRetry).toBe(70);
    release();
    expect(await run).toEqual({ done: true });
    expect(await delivered()).toBe(71);
    expect(destination.requests).toHaveLength(71);
  });

  it('begins no new delivery after the slice of its run, even while another delivery hangs', async () => {
    const { webhooks, destination, endpoint, pending, openRun } = await registeredEndpoint();
    const { run, release } = await openRun(1);
    const late = held();
    webhooks.passTime(sliceMs);
    destination.response(late.listener(200));
    await pending(1);
    await expect.poll(() => destination.requests.length, withRetry).toBe(2);
    release();
    await expect
      .poll(async () => (await webhooks.deliveriesTo(endpoint.id)).at(-1)?.status)
      .toBe('delivered');
    await pending(1);
    late.release();
    expect(await run).toEqual({ againInMs: 0 });
    expect(destination.requests).toHaveLength(2);
  });

  it('lets the lease of a run expire if a delivery takes longer than an attempt may take', async () => {
    const { webhooks, destination, endpoint, pending, delivered } = await registeredEndpoint();
    const [one, others] = [held(), held()];
    const first = one.listener(200);
    destination.response((...exchange) =>
      (destination.requests.length === 1 ? first : others.listener(200))(...exchange),
    );
    await pending(maxConcurrent);
    const run = webhooks.empty(endpoint.id);
    await expect.poll(() => destination.requests.length, withRetry).toBe(maxConcurrent);
    webhooks.passTime(sliceMs + leaseMs);
    await pending(1);
    // The end of this attempt makes the run check whether it still holds the lease.
    one.release();
    await expect.poll(delivered, withRetry).toBe(1);
    destination.response(200);
    expect(await webhooks.emptyElsewhere(endpoint.id)).toEqual({ done: true });
    expect(await delivered()).toBe(maxConcurrent + 1);
    others.release();
    await run;
  });

  it('begins no further attempt once another run acquired the lease', async () => {
    const { webhooks, destination, endpoint, pending, openRun } = await registeredEndpoint();
    const { run, release } = await openRun(1);
    webhooks.passTime(leaseMs);
    const elsewhere = held();
    destination.response(elsewhere.listener(200));
    const second = webhooks.emptyElsewhere(endpoint.id);
    await expect.poll(() => destination.requests.length, withRetry).toBe(2);
    await pending(3);
    await expect.poll(() => destination.requests.length, withRetry).toBe(5);
    release();
    elsewhere.release();
    await Promise.all([run, second]);
    expect([...destination.times().values()].sort()).toEqual([1, 1, 1, 2]);
  });
});

describe('a stopping run', () => {
  it('finishes the attempts of a stopping run, begins no more, and leaves the rest due at once', async () => {
    const { webhooks, destination, endpoint, delivered, openRun } = await registeredEndpoint();
    const stop = new AbortController();
    const { run, release } = await openRun(20, { signal: stop.signal });
    stop.abort('draining');
    release();
    expect(await run).toEqual({ againInMs: 0 });
    expect(destination.requests).toHaveLength(8);
    expect(await delivered()).toBe(8);
    expect(await webhooks.empty(endpoint.id)).toEqual({ done: true });
    expect(destination.times().size).toBe(20);
  });
});

describe('a run whose endpoint is changed', () => {
  /** Waits until the run has renewed its lease at the current time. */
  async function untilRenewed({ webhooks, endpoint }: Awaited<ReturnType<typeof registeredEndpoint>>) {
    const name = webhooks.keys.destination('acme', endpoint.id);
    const leaseEnd = String(webhooks.clock() + leaseMs);
    await expect.poll(() => webhooks.redis.hget(name, 'leaseUntil'), withRetry).toBe(leaseEnd);
  }

  it('sends no further event to an endpoint that was disabled, although an earlier one hangs', async () => {
    const setup = await registeredEndpoint();
    const { webhooks, destination, endpoint, pending, openRun } = setup;
    const { run, release } = await openRun(1);
    await webhooks.manageEndpoints.update(author, endpoint.id, { disabled: true });
    webhooks.passTime(renewalMs);
    await pending(2);
    await untilRenewed(setup);
    release();
    await run;
    await webhooks.empty(endpoint.id);
    expect(destination.requests).toHaveLength(1);
    const outcomes = (await webhooks.deliveriesTo(endpoint.id)).map(({ outcome }) => outcome);
    expect(outcomes.sort()).toEqual(['delivered', 'endpoint_disabled', 'endpoint_disabled']);
  });

  it('signs no further event with a secret that ended, although an earlier one hangs', async () => {
    const setup = await registeredEndpoint();
    const { webhooks, destination, endpoint, pending, openRun } = setup;
    const { run, release } = await openRun(1);
    const { secret } = await webhooks.manageEndpoints.rotateSecret(author, endpoint.id, { grace_s: 0 });
    webhooks.passTime(renewalMs);
    await pending(2);
    await untilRenewed(setup);
    destination.response(200);
    release();
    await run;
    await webhooks.emptyAll(endpoint.id);
    const [, ...later] = destination.requests;
    expect(later.map((request) => isSignedWith(request, secret))).toEqual([true, true]);
  });

  it('does not block the new URL by the failure of an attempt at the old one', async () => {
    const { webhooks, destination, endpoint, pending, health } = await registeredEndpoint();
    destination.response(500);
    await pending(6);
    const waitMs = await webhooks.emptyAll(endpoint.id);
    webhooks.passTime(waitMs ?? 0);
    const old = held();
    destination.response(old.listener(500));
    const before = destination.requests.length;
    const run = webhooks.empty(endpoint.id);
    await expect.poll(() => destination.requests.length, withRetry).toBe(before + 1);
    const next = await endpointServerOf();
    await webhooks.manageEndpoints.update(author, endpoint.id, { url: next.url });
    old.release();
    await run;
    expect(await health()).toMatchObject({ failures: 0 });
    await webhooks.emptyAll(endpoint.id);
    expect(next.requests.length).toBeGreaterThan(0);
  });
});
