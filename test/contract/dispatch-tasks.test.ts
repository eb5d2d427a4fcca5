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

/** Outcome of one delivery run of a task. */
type Leave = 'watching' | 'again' | 'done';

/**
 * Simulates senders and delivery runs of one delivery queue. Each step is atomic and the scheduler decides the order
 * of the steps. Tasks behave like tasks of the queue. A known task is not added again, even while it runs or is
 * delayed. A task that follows up on the lease of another run stays delayed until long after the test.
 */
function postOffice(schedule: <Result>(step: () => Promise<Result>) => Promise<Result>) {
  const tenant = `t${ids.run()}`;
  const known = new Set<string>();
  const running: Promise<void>[] = [];
  const { deliveries, events, deliveryQueues, redis, keys } = store;

  /** Dispatches a delivery after the given number of empty steps and enqueues its dispatch tasks. */
  async function put(pauses: number): Promise<void> {
    const delivery = deliveryOf({ tenant, destinationKey });
    const event = { tenant, id: delivery.eventId };
    await redis.zadd(keys.outbox(tenant), createdAt, event.id);
    for (let i = 0; i < pauses; i++) await schedule(async () => {});
    const dispatchTasks = await schedule(() =>
      events.dispatch(event, { deliveries: [delivery], nowMs: createdAt, contentTtlMs: 60_000 }),
    );
    for (const { taskId } of dispatchTasks) await schedule(async () => add(taskId));
  }

  function add(taskId: string): void {
    if (known.has(taskId)) return;
    known.add(taskId);
    running.push(run(taskId));
  }

  /** Runs a task like the queue does. */
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

  /** Resolves when no task runs any more. A running task may start others. */
  async function settled(): Promise<void> {
    for (let seen = 0; seen < running.length; ) {
      seen = running.length;
      await Promise.all(running);
    }
  }

  return { tenant, put, settled };
}

/** Lets the continuations of a step join the schedule before the scheduler selects the next step. */
async function untilQuiet(step: () => Promise<void>): Promise<void> {
  await step();
  await new Promise(setImmediate);
}

/** Number of steps by which each delivery is delayed. */
const pauses = fc.array(fc.nat(30), { minLength: 1, maxLength: 6 });

describe('concurrent senders and delivery runs', () => {
  it('empties the delivery queue without a reconciler, in whatever order their steps interleave', async () => {
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
