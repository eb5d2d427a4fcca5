import type { ReceiverHealth } from '../../domain/endpoint-health.ts';
import type { Ids, Log, Task, TaskResult } from '../../domain/ports.ts';
import { createTenantPlaces } from '../../lib/tenant-slots.ts';
import { createMailboxRun, leaseMs, type MailboxRunDeps } from './delivery-run.ts';
import type { FindReceiver } from './find-destination.ts';
import { createUnreturnedRights } from './unreleased-leases.ts';

interface Deps extends MailboxRunDeps {
  findReceiver: FindReceiver;
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
export function createEmptyMailbox(deps: Deps) {
  const { clock } = deps;
  const unreturned = createUnreturnedRights(clock, leaseMs);
  const places = createTenantPlaces({
    most: Number.POSITIVE_INFINITY,
    mostOfOne: deps.policy.placesOfOneTenant,
  });

  return async (task: Task, signal: AbortSignal): Promise<TaskResult> => {
    const leave = places.enter(task.tenant);
    // Receivers that hang, however many hosts one tenant names, keep no place that others need.
    if (!leave) return { againInMs: standBackMs };
    try {
      return await takeMail(task, signal);
    } finally {
      leave();
    }
  };

  async function takeMail({ tenant, id: target }: Task, signal: AbortSignal): Promise<TaskResult> {
    const mailbox = `${tenant} ${target}`;
    const run = unreturned.takeOver(mailbox) ?? deps.ids.run();
    const leave = () => unreturned.leave(mailbox, run);
    const taken = await deps.mailboxes
      .take(tenant, target, { run, nowMs: clock(), leaseMs })
      .catch((error) => {
        leave();
        throw error;
      });
    if ('heldUntilMs' in taken) {
      // Its holder looks at the mailbox again before it leaves; only its death would leave that to another.
      return taken.isWatched ? { done: true } : { againInMs: Math.max(1_000, taken.heldUntilMs - clock()) };
    }
    const fault = await work(tenant, target, { run, health: taken.health, signal }).then(
      () => undefined,
      (error: unknown) => error ?? new Error('unknown'),
    );
    const again = await deps.mailboxes.release(tenant, target, { run, nowMs: clock() }).catch(() => {
      leave();
      return { againInMs: pauseAfterFaultMs };
    });
    if (!fault) return again ?? { done: true };
    deps.log.error({ err: fault, tenant, target }, 'mailbox not emptied, will be tried again');
    // What failed now would fail at once again.
    return { againInMs: Math.max(pauseAfterFaultMs, again?.againInMs ?? 0) };
  }

  async function work(
    tenant: string,
    target: string,
    { run, health, signal }: { run: string; health: ReceiverHealth; signal: AbortSignal },
  ): Promise<void> {
    const receiver = await deps.findReceiver(tenant, target);
    const open = createMailboxRun(deps, { receiver, health, run, signal });
    if (receiver.closed) await open.closeAll(receiver.closed);
    else await open.deliver();
  }
}
export type EmptyMailbox = ReturnType<typeof createEmptyMailbox>;
