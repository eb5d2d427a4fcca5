import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { connectWebhooks, endpointServerOf, held } from '../support/webhook-core.ts';

/** Timeout for a run to reach the middle of its work, which depends on the speed of the machine alone. */
const withRetry = { timeout: 10_000 };

const leaseMs = 20_000;
const sliceMs = 2_000;
/** Maximum number of concurrent attempts of one run. */
const maxConcurrent = 8;

/** Registers an endpoint that subscribes to one event of each job. */
async function registered(...given: Parameters<typeof connectWebhooks>) {
  const webhooks = await connectWebhooks(...given);
  const destination = await endpointServerOf();
  const endpoint = await webhooks.register({ url: destination.url, events: ['image.queued'] });
  const health = async () => (await webhooks.deliveryQueues.health('acme', [endpoint.id]))[0];
  const statuses = async () => (await webhooks.deliveriesTo(endpoint.id)).map(({ status }) => status);
  async function pending(count: number): Promise<void> {
    await webhooks.emit(count);
    await webhooks.dispatch();
  }
  return {
    webhooks,
    destination,
    endpoint,
    health,
    pending,
    /** Starts a run and returns during its first attempts. The test decides when their responses are sent. */
    async openRun(count: number, { status = 200, signal }: { status?: number; signal?: AbortSignal } = {}) {
      const responses = held();
      destination.response(responses.listener(status));
      await pending(count);
      const run = webhooks.empty(endpoint.id, signal);
      await expect.poll(() => destination.requests.length, withRetry).toBe(Math.min(count, maxConcurrent));
      return { run, release: responses.release };
    },
    statuses,
    delivered: async () => (await statuses()).filter((status) => status === 'delivered').length,
  };
}

describe('concurrent runs of one delivery queue', () => {
  it('rejects a second run of a delivery queue, and the first run also delivers what arrived during it', async () => {
    const { webhooks, destination, endpoint, pending, statuses, openRun } = await registered();
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
      const { webhooks, destination, endpoint, health, openRun } = await registered();
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
    const { webhooks, destination, endpoint, openRun } = await registered();
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
    const { destination, pending, delivered, openRun } = await registered();
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
    const { webhooks, destination, endpoint, pending, openRun } = await registered();
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
    const { webhooks, destination, endpoint, pending, delivered } = await registered();
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
    const { webhooks, destination, endpoint, pending, openRun } = await registered();
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
    const { webhooks, destination, endpoint, delivered, openRun } = await registered();
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

describe('an internal fault', () => {
  it('keeps every delivery and backs off if a secret cannot be decrypted', async () => {
    const { webhooks, destination, endpoint, pending, statuses, health } = await registered();
    await pending(3);
    const { secrets = [] } = (await webhooks.endpoints.get('acme', endpoint.id)) ?? {};
    const set = (kept: typeof secrets) =>
      webhooks.endpoints.update('acme', endpoint.id, (now) => ({ ...now, secrets: kept }));
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
    const { webhooks, destination, endpoint, statuses, openRun } = await registered();
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
    const { webhooks, endpoint, statuses, openRun } = await registered();
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
    const { webhooks, endpoint, pending, statuses } = await registered();
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
    const { webhooks, destination, endpoint, pending } = await registered();
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
