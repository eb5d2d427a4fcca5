import type { DestinationHealth } from '../../domain/destination-health.ts';
import type { Ids, Log, TaskResult, TaskSubject } from '../../domain/ports.ts';
import { createTenantSlots } from '../../lib/tenant-slots.ts';
import { createDeliveryRun, type DeliveryRunDeps, leaseMs } from './delivery-run.ts';
import type { FindDestination } from './find-destination.ts';
import { createUnreleasedLeases } from './unreleased-leases.ts';

interface Deps extends DeliveryRunDeps {
  findDestination: FindDestination;
  ids: Ids;
  log: Log;
}

const pauseAfterFaultMs = 5_000;
const standBackMs = 2_000;

/**
 * Delivers what is due for one receiver: several at a time, one at a time while it fails, nothing while it rests. At
 * least once: a death between the receiver's answer and our note of it leads to a second attempt with the same
 * `webhook-id` and the same bytes.
 */
export function createDeliverPending(deps: Deps) {
  const { clock } = deps;
  const unreleased = createUnreleasedLeases(clock, leaseMs);
  const slots = createTenantSlots({
    max: Number.POSITIVE_INFINITY,
    maxPerTenant: deps.policy.slotsPerTenant,
  });

  return async (task: TaskSubject, signal: AbortSignal): Promise<TaskResult> => {
    const leave = slots.enter(task.tenant);
    // Receivers that hang, however many hosts one tenant names, keep no place that others need.
    if (!leave) return { againInMs: standBackMs };
    try {
      return await takePending(task, signal);
    } finally {
      leave();
    }
  };

  async function takePending(
    { tenant, id: destinationKey }: TaskSubject,
    signal: AbortSignal,
  ): Promise<TaskResult> {
    const deliveryQueue = `${tenant} ${destinationKey}`;
    const run = unreleased.takeOver(deliveryQueue) ?? deps.ids.run();
    const leave = () => unreleased.leave(deliveryQueue, run);
    const taken = await deps.deliveryQueues
      .take(tenant, destinationKey, { run, nowMs: clock(), leaseMs })
      .catch((error) => {
        leave();
        throw error;
      });
    if ('heldUntilMs' in taken) {
      // Its holder looks at the mailbox again before it leaves; only its death would leave that to another.
      return taken.isWatched ? { done: true } : { againInMs: Math.max(1_000, taken.heldUntilMs - clock()) };
    }
    const fault = await work(tenant, destinationKey, { run, health: taken.health, signal }).then(
      () => undefined,
      (error: unknown) => error ?? new Error('unknown'),
    );
    const again = await deps.deliveryQueues
      .release(tenant, destinationKey, { run, nowMs: clock() })
      .catch(() => {
        leave();
        return { againInMs: pauseAfterFaultMs };
      });
    if (!fault) return again ?? { done: true };
    deps.log.error({ err: fault, tenant, destinationKey }, 'mailbox not emptied, will be tried again');
    // What failed now would fail at once again.
    return { againInMs: Math.max(pauseAfterFaultMs, again?.againInMs ?? 0) };
  }

  async function work(
    tenant: string,
    destinationKey: string,
    { run, health, signal }: { run: string; health: DestinationHealth; signal: AbortSignal },
  ): Promise<void> {
    const destination = await deps.findDestination(tenant, destinationKey);
    const open = createDeliveryRun(deps, { destination, health, run, signal });
    if (destination.closed) await open.closeAll(destination.closed);
    else await open.deliver();
  }
}
export type DeliverPending = ReturnType<typeof createDeliverPending>;
