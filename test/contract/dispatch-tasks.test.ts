import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { ids } from '../../src/lib/ids.ts';
import { createdAt } from '../support/jobs.ts';
import { connectWebhookStore, deliveryOf, type WebhookStore } from '../support/webhooks.ts';

let store: WebhookStore;
beforeAll(async () => {
  store = await connectWebhookStore();
});

const destinationKey = 'whk_1';
const leaseMs = 20_000;

/** How a task ends a visit to a mailbox. */
type Leave = 'watching' | 'again' | 'done';

/**
 * Those who put mail into one mailbox and those who take it out, in steps of which each is atomic, in the order of a
 * scheduler. Tasks behave as in the queue: one that is known is not added again, also while it runs or sleeps. One that
 * watches over the right of another sleeps until long after the test.
 */
function postOffice(schedule: <Result>(step: () => Promise<Result>) => Promise<Result>) {
  const tenant = `t${ids.run()}`;
  const known = new Set<string>();
  const running: Promise<void>[] = [];
  const { deliveries, events, deliveryQueues, redis, keys } = store;

  /** Puts a letter in after so many steps of others, and has the mailbox looked at. */
  async function put(pauses: number): Promise<void> {
    const delivery = deliveryOf({ tenant, destinationKey });
    const event = { tenant, id: delivery.eventId };
    await redis.zadd(keys.outbox(tenant), createdAt, event.id);
    for (let i = 0; i < pauses; i++) await schedule(async () => {});
    const dispatchTasks = await schedule(() =>
      events.dispatch(event, { deliveries: [delivery], nowMs: createdAt, keepMs: 60_000 }),
    );
    for (const { taskId } of dispatchTasks) await schedule(async () => add(taskId));
  }

  function add(taskId: string): void {
    if (known.has(taskId)) return;
    known.add(taskId);
    running.push(run(taskId));
  }

  /** A task as the queue runs it. */
  async function run(taskId: string): Promise<void> {
    let left: Leave;
    do left = await visit();
    while (left === 'again');
    if (left === 'done') await schedule(async () => void known.delete(taskId));
  }

  async function visit(): Promise<Leave> {
    const run = ids.run();
    const taken = await schedule(() =>
      deliveryQueues.acquireLease(tenant, destinationKey, { run, nowMs: createdAt, leaseMs }),
    );
    if ('heldUntilMs' in taken) return taken.hasFollowUp ? 'done' : 'watching';
    const pending = await schedule(() =>
      deliveryQueues.due(tenant, destinationKey, { nowMs: createdAt, limit: 2 }),
    );
    for (const { delivery } of pending) {
      await schedule(() =>
        deliveries.update(delivery, ({ dueAt: _dueAt, ...now }) => ({ ...now, status: 'delivered' })),
      );
    }
    const again = await schedule(() =>
      deliveryQueues.releaseLease(tenant, destinationKey, { run, nowMs: createdAt }),
    );
    if (again) expect(again).toEqual({ againInMs: 0 });
    return again ? 'again' : 'done';
  }

  /** Until nothing runs any more; a task that runs may have others started. */
  async function settled(): Promise<void> {
    for (let seen = 0; seen < running.length; ) {
      seen = running.length;
      await Promise.all(running);
    }
  }

  return { tenant, put, settled };
}

/** Lets what follows from a step be in line before the next one is drawn. */
async function untilQuiet(step: () => Promise<void>): Promise<void> {
  await step();
  await new Promise(setImmediate);
}

/** How long each of some letters is held back. */
const pauses = fc.array(fc.nat(30), { minLength: 1, maxLength: 6 });

describe('no wake is lost', () => {
  it('however the steps of some fall between those of others: the mailbox ends empty without a reconciler', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler({ act: untilQuiet }), pauses, async (scheduler, letters) => {
        const office = postOffice((step) => scheduler.scheduleFunction(step)());
        const senders = letters.map(office.put);
        await scheduler.waitFor(Promise.all(senders).then(office.settled));
        expect(await store.deliveryQueues.countPending(office.tenant)).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});
