import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { eventIdOf } from '../../src/domain/webhook-event.ts';
import { createEraseJob } from '../../src/usecases/jobs/erase-job.ts';
import { createSweep } from '../../src/usecases/maintenance/sweep.ts';
import { commandLine } from '../support/api-keys.ts';
import { deliveryLogMs } from '../support/core.ts';
import { maxConcurrent, registeredEndpoint } from '../support/delivery-run.ts';
import { finishedJob, retention } from '../support/jobs.ts';
import { connectWebhooks, endpointServerOf, held, type Webhooks } from '../support/webhook-core.ts';

/** Creates a job whose events go to an endpoint and to a host of its own. Both servers reject them. */
async function refusedJob() {
  const webhooks = await connectWebhooks();
  const [registered, named] = [await endpointServerOf(500), await endpointServerOf(500)];
  const endpoint = await webhooks.register({ url: registered.url });
  const [jobId = ''] = await webhooks.emit(1, { url: named.url });
  const destinationKeys = [endpoint.id, webhooks.hostDestinationKey(named.url)];
  return {
    ...{ webhooks, jobId, destinationKeys, registered, named },
    async deliver() {
      await webhooks.dispatch();
      for (const destinationKey of destinationKeys) await webhooks.emptyAll(destinationKey);
    },
  };
}

/** Lists every key whose name or value contains a text. */
async function keysHolding({ redis, prefix }: Webhooks, text: string): Promise<string[]> {
  const found: string[] = [];
  for (const key of await redis.keys(`${prefix}:*`)) {
    const value = (await redis.type(key)) === 'string' ? await redis.get(key) : String(await redis.dump(key));
    if (key.includes(text) || value?.includes(text)) found.push(key.slice(prefix.length));
  }
  return found;
}

describe('erasing a job', () => {
  it('removes the events, deliveries and payloads of an erased job, and sends nothing more', async () => {
    const { webhooks, jobId, destinationKeys, registered, named, deliver } = await refusedJob();
    await deliver();
    const ulid = jobId.slice('img_'.length);
    expect(await webhooks.deliveryQueues.countPending('acme')).toBe(2);
    expect((await keysHolding(webhooks, ulid)).length).toBeGreaterThan(3);
    await webhooks.eraseJob({ tenant: 'acme', actor: commandLine }, jobId);
    // The tombstone stays, together with its entries in the list of due jobs and in the audit log.
    expect((await keysHolding(webhooks, ulid)).sort()).toEqual([
      ':{acme}:audit:erased',
      ':{acme}:due',
      `:{acme}:job:${jobId}`,
    ]);
    webhooks.passTime(86_400_000);
    await deliver();
    expect([registered.requests.length, named.requests.length]).toEqual([1, 1]);
    for (const destinationKey of destinationKeys)
      expect(await webhooks.deliveriesTo(destinationKey)).toEqual([]);
  });

  it('dispatches no event of a job that was erased before the dispatch', async () => {
    const { webhooks, jobId, registered, named, deliver } = await refusedJob();
    await webhooks.eraseJob({ tenant: 'acme', actor: commandLine }, jobId);
    await deliver();
    expect(await webhooks.deliveryQueues.countPending('acme')).toBe(0);
    expect([registered.requests.length, named.requests.length]).toEqual([0, 0]);
  });

  it('removes an event of the next release about an erased job, which holds its prompt', async () => {
    const { webhooks, jobId } = await refusedJob();
    const { redis, keys } = webhooks;
    const id = `evt_${jobId.slice('img_'.length)}_upscaled`;
    await redis.set(keys.event('acme', id), `${jobId} ${await redis.get(keys.job('acme', jobId))}`);
    await redis.zadd(keys.outbox('acme'), 1, id);
    await webhooks.dispatchEvent({ tenant: 'acme', id });
    expect(await redis.exists(keys.event('acme', id))).toBe(1);
    await webhooks.eraseJob({ tenant: 'acme', actor: commandLine }, jobId);
    await webhooks.dispatchEvent({ tenant: 'acme', id });
    expect(await redis.exists(keys.event('acme', id))).toBe(0);
    expect(await redis.zscore(keys.outbox('acme'), id)).toBeNull();
  });

  it('leaves no delivery if a job is erased during its dispatch, in either order', async () => {
    for (let i = 0; i < 20; i++) {
      const { webhooks, jobId, destinationKeys, deliver } = await refusedJob();
      const waiting = await webhooks.events.listUndispatched('acme', {
        beforeMs: Number.MAX_SAFE_INTEGER,
        limit: 9,
      });
      await Promise.all([
        webhooks.eraseJob({ tenant: 'acme', actor: commandLine }, jobId),
        ...waiting.map((id) => webhooks.dispatchEvent({ tenant: 'acme', id })),
      ]);
      await deliver();
      for (const destinationKey of destinationKeys)
        expect(await webhooks.deliveriesTo(destinationKey)).toEqual([]);
      expect(await webhooks.deliveryQueues.countPending('acme')).toBe(0);
    }
  }, 120_000);

  it('leaves no trace if a job is erased during an attempt', async () => {
    const { webhooks, jobId, destinationKeys, registered } = await refusedJob();
    const responses = held();
    registered.response(responses.listener(500));
    await webhooks.dispatch();
    const [destinationKey = ''] = destinationKeys;
    const run = webhooks.empty(destinationKey);
    await expect.poll(() => registered.requests.length).toBe(1);
    await webhooks.eraseJob({ tenant: 'acme', actor: commandLine }, jobId);
    responses.release();
    expect(await run).toEqual({ done: true });
    const ulid = jobId.slice('img_'.length);
    expect((await keysHolding(webhooks, ulid)).sort()).toEqual([
      ':{acme}:audit:erased',
      ':{acme}:due',
      `:{acme}:job:${jobId}`,
    ]);
  });

  it('sends nothing of an erased job that waits for a slot of a slow endpoint', async () => {
    const { webhooks, destination, openRun } = await registeredEndpoint();
    const { run, release } = await openRun(maxConcurrent + 1);
    const sent = destination.requests.map(({ headers }) => String(headers['webhook-id']));
    const { jobs } = await webhooks.records.list('acme', { limit: 100 });
    const waiting = jobs.find(({ id }) => !sent.includes(eventIdOf(id, 'image.queued')));
    webhooks.passTime(1_000);
    await webhooks.eraseJob({ tenant: 'acme', actor: commandLine }, waiting?.id ?? '');
    release();
    expect(await run).toEqual({ done: true });
    expect(destination.requests).toHaveLength(maxConcurrent);
  });

  it.each([
    ['before its images expired', 0],
    ['after its images expired', retention.mediaSeconds * 1000],
  ])('is completed by the sweeper if the process ended after the tombstone, %s', async (_when, ageMs) => {
    const { webhooks, jobId, registered, named, deliver } = await refusedJob();
    await webhooks.change({ tenant: 'acme', id: jobId }, finishedJob);
    const sweep = createSweep({ ...webhooks, deliveryLogMs, clock: webhooks.clock });
    webhooks.passTime(ageMs);
    await sweep();
    await deliver();
    const requestCancel = () => Promise.reject(new Error('the process ended'));
    const eraseAndCrash = createEraseJob({ ...webhooks, signals: { ...webhooks.signals, requestCancel } });
    await expect(eraseAndCrash({ tenant: 'acme', actor: commandLine }, jobId)).rejects.toThrow('ended');
    await sweep();
    expect((await keysHolding(webhooks, jobId.slice('img_'.length))).sort()).toEqual([
      ':{acme}:audit:erased',
      ':{acme}:due',
      `:{acme}:job:${jobId}`,
      ':{acme}:usage:unarchived',
    ]);
    const sent = [registered.requests.length, named.requests.length];
    webhooks.passTime(86_400_000);
    await deliver();
    expect([registered.requests.length, named.requests.length]).toEqual(sent);
  });

  it('keeps the events of other jobs when one job is erased', async () => {
    const { webhooks, jobId, destinationKeys } = await refusedJob();
    const [other] = await webhooks.emit();
    await webhooks.dispatch();
    await webhooks.eraseJob({ tenant: 'acme', actor: commandLine }, jobId);
    const [destinationKey = ''] = destinationKeys;
    expect((await webhooks.deliveriesTo(destinationKey)).map((each) => each.jobId)).toEqual([other]);
  });
});

describe('the log of deliveries', () => {
  it('keeps a delivery and its payload for the retention time after its end, then removes every trace', async () => {
    const { webhooks, destinationKeys, registered, named, deliver } = await refusedJob();
    const word = randomUUID();
    await webhooks.emit(1, { url: `${named.url}/${word}` });
    for (const destination of [registered, named]) destination.response(200);
    await deliver();
    const sweep = createSweep({ ...webhooks, deliveryLogMs });
    const [destinationKey = ''] = destinationKeys;
    const [delivery] = await webhooks.deliveriesTo(destinationKey);
    const isKept = async () => {
      expect(await webhooks.getDelivery('acme', delivery?.id ?? '')).toMatchObject({
        attempt_count: 1,
      });
      expect(await webhooks.events.hasContent('acme', delivery?.eventId ?? '')).toBe(true);
    };
    await sweep();
    await isKept();
    webhooks.passTime(deliveryLogMs - 1);
    // The sweeper process has a clock of its own.
    await createSweep({ ...webhooks, deliveryLogMs, clock: webhooks.clock })();
    await isKept();
    webhooks.passTime(1);
    await createSweep({ ...webhooks, deliveryLogMs, clock: webhooks.clock })();
    expect(await webhooks.deliveriesTo(destinationKey)).toEqual([]);
    expect((await webhooks.redis.keys(`${webhooks.prefix}:*:dlv*`)).length).toBe(0);
    expect((await webhooks.redis.keys(`${webhooks.prefix}:*:log:*`)).length).toBe(0);
  });

  it('sends a job as it was at the time of the event, however late the event is dispatched', async () => {
    const { webhooks, jobId, registered, deliver } = await refusedJob();
    await webhooks.change({ tenant: 'acme', id: jobId }, finishedJob);
    await deliver();
    const eventWritten = registered.requests.map(({ body }) => JSON.parse(body));
    expect(eventWritten.map(({ type, data }) => [type, data.status]).sort()).toEqual([
      ['image.queued', 'queued'],
      ['image.succeeded', 'succeeded'],
    ]);
  });
});
