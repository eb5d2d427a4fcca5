import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { connectWebhooks, endpointServerOf, held } from '../support/webhook-core.ts';

/** Until a run is in the middle of its work; how soon that is depends on the machine alone. */
const withRetry = { timeout: 10_000 };

const leaseMs = 20_000;
const sliceMs = 2_000;
/** Attempts of one run at the same time. */
const maxConcurrent = 8;

/** An endpoint that wants one event of each job, at a receiver. */
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
    /** A run in the middle of its first attempts, which are answered when the test says so. */
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

describe('two runs for one receiver', () => {
  it('do not happen: the second one leaves at once, and the first delivers also what came meanwhile', async () => {
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
    'after the first was taken for dead end with everything delivered, though its late answers are %i',
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
      // What both of them sent is in the log twice, as it was.
      expect(deliveries.map(({ attempts }) => attempts).sort()).toEqual([
        ...Array.from({ length: 12 }, () => 1),
        ...Array.from({ length: 8 }, () => 2),
      ]);
      expect(await webhooks.deliveryQueues.countPending('acme')).toBe(0);
      // How the receiver does is for the one to say who has the right.
      expect(await health()).toMatchObject({ failures: 0 });
    },
  );

  it('leave the right with the one who has it', async () => {
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

describe('a delivery that hangs', () => {
  it('keeps no other from its receiver: neither what waits nor what comes while it hangs', async () => {
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

  it('holds the place of its receiver no longer for those that came after the slice', async () => {
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

  it('gives up the right of its run when it takes longer than an attempt can', async () => {
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
    // Its end has the run look whether it may go on.
    one.release();
    await expect.poll(delivered, withRetry).toBe(1);
    destination.response(200);
    expect(await webhooks.emptyElsewhere(endpoint.id)).toEqual({ done: true });
    expect(await delivered()).toBe(maxConcurrent + 1);
    others.release();
    await run;
  });

  it('begins nothing more once its right went to another run', async () => {
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

describe('a run that is told to stop', () => {
  it('ends what is under way, begins nothing more, and leaves the rest to be done at once', async () => {
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

describe('a fault of ours', () => {
  it('loses no delivery and is not met again at once: a secret that cannot be opened', async () => {
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

  it('in one of several attempts has the others ended before another run may begin', async () => {
    const { webhooks, destination, endpoint, statuses, openRun } = await registered();
    const { run, release } = await openRun(20);
    const [first] = (await webhooks.deliveriesTo(endpoint.id)).toReversed();
    // A row that cannot be read, as another release may leave one.
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

describe('a run that cannot give its right back', () => {
  it('keeps others away until its lease is over, but not whoever goes on where the run was', async () => {
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

describe('a run that does not hear that it got the right', () => {
  it('leaves it to whoever goes on where the run was', async () => {
    const { webhooks, endpoint, pending, statuses } = await registered();
    // A script that Redis does not know yet is sent a second time, which nobody would do after the wait.
    await webhooks.empty(endpoint.id);
    await pending(1);
    // Redis reads what follows on this connection when the wait is over, later than anybody here is patient.
    const waiting = webhooks.redis.pipeline().blpop(`${webhooks.prefix}:nothing`, 3).exec();
    await expect(webhooks.empty(endpoint.id)).rejects.toMatchObject({ code: 'store_unavailable' });
    await waiting?.catch(() => null);
    expect(await webhooks.emptyElsewhere(endpoint.id)).toEqual({ againInMs: leaseMs });
    expect(await statuses()).toEqual(['pending']);
    expect(await webhooks.empty(endpoint.id)).toEqual({ done: true });
    expect(await statuses()).toEqual(['delivered']);
  });
});

describe('bytes that are gone', () => {
  it('end a delivery without an attempt, and keep nobody from the others', async () => {
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
