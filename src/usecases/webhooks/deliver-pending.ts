import type { DestinationHealth } from '../../domain/destination-health.ts';
import type { Ids, Log, TaskResult, TaskSubject } from '../../domain/ports.ts';
import { createSharedSlots } from '../../lib/tenant-slots.ts';
import { createDeliveryRun, type DeliveryRunDeps, leaseMs } from './delivery-run.ts';
import type { ResolveDestination } from './resolve-destination.ts';
import { createUnreleasedLeases } from './unreleased-leases.ts';

interface Deps extends DeliveryRunDeps {
  readonly resolveDestination: ResolveDestination;
  readonly ids: Ids;
  readonly log: Log;
}

const retryAfterFaultMs = 5_000;
const retryWithoutSlotMs = 2_000;

/**
 * Delivers the due deliveries of one destination: several at a time, one at a time while the destination fails, none
 * while its circuit breaker is open. Delivery is at least once: if the worker dies between the response and the update
 * of the delivery, a second attempt carries the same `webhook-id`.
 */
export function createDeliverPending(deps: Deps) {
  const { clock, deliveryQueues } = deps;
  const unreleased = createUnreleasedLeases(clock, leaseMs);
  const slots = createSharedSlots(deps.policy.slots);

  return async (task: TaskSubject, signal: AbortSignal): Promise<TaskResult> => {
    const leave = slots.enter(task.tenant);
    // Hanging destinations of some tenants, however many, must not occupy the slots of all others.
    if (!leave) return { againInMs: retryWithoutSlotMs };
    try {
      return await runWithLease(task, signal);
    } finally {
      leave();
    }
  };

  async function runWithLease(
    { tenant, id: destinationKey }: TaskSubject,
    signal: AbortSignal,
  ): Promise<TaskResult> {
    const lease = `${tenant} ${destinationKey}`;
    const run = unreleased.reuse(lease) ?? deps.ids.run();
    const acquired = await deliveryQueues
      .acquireLease(tenant, destinationKey, { run, nowMs: clock(), leaseMs })
      .catch((error) => {
        unreleased.add(lease, run);
        throw error;
      });
    if ('heldUntilMs' in acquired) {
      // The lease holder checks the queue again before it releases. Only a crash of the holder needs a follow-up.
      return acquired.hasFollowUp
        ? { done: true }
        : { againInMs: Math.max(1_000, acquired.heldUntilMs - clock()) };
    }
    const fault = await deliver(tenant, destinationKey, { run, health: acquired.health, signal }).then(
      () => undefined,
      (error: unknown) => error ?? new Error('unknown'),
    );
    const again = await deliveryQueues
      .releaseLease(tenant, destinationKey, { run, nowMs: clock() })
      .catch(() => {
        unreleased.add(lease, run);
        return { againInMs: retryAfterFaultMs };
      });
    if (!fault) return again ?? { done: true };
    deps.log.error({ err: fault, tenant, destination: destinationKey }, 'delivery run failed, retrying');
    // An immediate retry would meet the same fault.
    return { againInMs: Math.max(retryAfterFaultMs, again?.againInMs ?? 0) };
  }

  async function deliver(
    tenant: string,
    destinationKey: string,
    lease: { run: string; health: DestinationHealth; signal: AbortSignal },
  ): Promise<void> {
    const destination = await deps.resolveDestination(tenant, destinationKey);
    const deliveryRun = createDeliveryRun(deps, { destination, ...lease });
    if (destination.inactive) await deliveryRun.failAll(destination.inactive);
    else await deliveryRun.deliver();
  }
}
export type DeliverPending = ReturnType<typeof createDeliverPending>;
