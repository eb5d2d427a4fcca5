import {
  afterFailure,
  type DestinationHealth,
  hasFailedFor,
  healthy,
  isBroken,
} from '../../domain/destination-health.ts';
import type { Clock, Deliveries, DeliveryQueues } from '../../domain/ports.ts';
import { afterAttempt, type Delivery, giveUp, scheduleLengthMs } from '../../domain/webhook-delivery.ts';
import type { AttemptDelivery } from './attempt-delivery.ts';
import type { Destination } from './find-destination.ts';
import { createInFlight, type InFlight } from './in-flight.ts';

export interface DeliveryRunDeps {
  deliveryQueues: DeliveryQueues;
  deliveries: Deliveries;
  attemptDelivery: AttemptDelivery;
  clock: Clock;
  random: () => number;
  policy: WebhookPolicy;
}

/** What a deployment decides about deliveries. */
export interface WebhookPolicy {
  /** Seconds before each attempt, from the one before it; the first stands for attempt 1, which is made at once. */
  readonly schedule: readonly number[];
  /** An endpoint to which nothing could be delivered for so long is switched off. */
  readonly disableAfterMs: number;
  /** Attempts to one receiver at the same time. */
  readonly maxConcurrent: number;
  /** Receivers of one tenant that a process serves at the same time. */
  readonly slotsPerTenant: number;
}

/** What a run works with while it has the right to the mailbox. */
export interface DeliveryLease {
  readonly destination: Destination;
  readonly health: DestinationHealth;
  /** The name under which the right was taken. */
  readonly run: string;
  readonly signal: AbortSignal;
}

type PendingDelivery = Awaited<ReturnType<DeliveryQueues['due']>>[number];

/** A run that gives no sign for so long is taken for dead; longer than any attempt. */
export const leaseMs = 20_000;
/** With the longest attempt, begun just before it is over, this is less than the lease. */
const renewMs = 2_500;
/** After this a run stands back in line, so that a full mailbox does not keep a place for itself. */
const sliceMs = 2_000;
const batchSize = 64;
/** How soon new mail is seen while an attempt hangs. */
const lookAgainMs = 250;
const graceMs = 3_600_000;

/** One run, from taking the right to giving it back. */
export function createDeliveryRun(
  deps: DeliveryRunDeps,
  { destination, health: given, run, signal }: DeliveryLease,
) {
  const { clock, policy } = deps;
  const tooOldMs = scheduleLengthMs(policy.schedule) + graceMs;
  const { tenant, destinationKey } = destination;
  let health = given;
  let keptAtMs = clock();
  let isOver = false;

  const isCoolingDown = () => (health.blockedUntil ?? 0) > clock();
  const stops = () => isOver || signal.aborted || isCoolingDown();

  async function keep(): Promise<void> {
    const nowMs = clock();
    keptAtMs = nowMs;
    if (!(await deps.deliveryQueues.keep(tenant, destinationKey, { run, nowMs, leaseMs, health })))
      isOver = true;
  }

  async function attempt({ delivery, body }: PendingDelivery): Promise<void> {
    if (body === null) return void (await close(delivery, 'erased'));
    const random = deps.random();
    const { attempt, retryAfterMs } = await deps.attemptDelivery(destination, delivery, body);
    const { outcome, url } = attempt;
    const nowMs = clock();
    await deps.deliveries.update(
      delivery,
      (now) =>
        afterAttempt(now, { outcome, url, retryAfterMs }, { nowMs, random, schedule: policy.schedule }),
      attempt,
    );
    const isThere = outcome === 'delivered' || (destination.hasManyAddresses && attempt.status !== null);
    health = isThere ? healthy : afterFailure(health, nowMs, retryAfterMs);
    await switchOffIfHopeless(outcome, nowMs);
  }

  async function switchOffIfHopeless(outcome: string, nowMs: number): Promise<void> {
    const reason =
      outcome === 'gone'
        ? 'gone'
        : hasFailedFor(health, nowMs, policy.disableAfterMs)
          ? 'failing'
          : undefined;
    if (!reason || !destination.disable) return;
    isOver = true;
    if (!(await destination.disable(reason))) return;
    health = healthy;
    await closeAll('endpoint_disabled');
  }

  const close = (delivery: Delivery, outcome: string) =>
    deps.deliveries.update(delivery, (now) =>
      now.status === 'pending' ? giveUp(now, outcome, clock()) : null,
    );

  async function closeAll(outcome: string): Promise<void> {
    const closed = new Set<string>();
    for (;;) {
      const pending = await deps.deliveryQueues.due(tenant, destinationKey, {
        nowMs: Number.MAX_SAFE_INTEGER,
        limit: batchSize,
      });
      if (pending.length === 0) return;
      // Tried again later, with a pause: here it would go on for ever.
      if (pending.every(({ delivery }) => closed.has(delivery.id))) {
        throw new Error('deliveries stay in their mailbox although they are closed');
      }
      await Promise.all(pending.map(({ delivery }) => close(delivery, outcome)));
      for (const { delivery } of pending) closed.add(delivery.id);
    }
  }

  /**
   * The next deliveries to try, without those that are tried already: while the receiver fails a single one, and what is
   * too old is given up unseen.
   */
  async function nextPending(attempts: InFlight): Promise<PendingDelivery[]> {
    const nowMs = clock();
    // Also those that end before the answer is here: when it was written they were still due.
    const tried = attempts.names();
    const due = await deps.deliveryQueues.due(tenant, destinationKey, {
      nowMs,
      limit: batchSize + tried.size,
    });
    const pending = due.filter(({ delivery }) => !tried.has(delivery.id));
    if (!isBroken(health)) return pending;
    const isTooOld = ({ delivery }: PendingDelivery) => nowMs - delivery.startedAt > tooOldMs;
    await Promise.all(
      pending.filter(isTooOld).map(({ delivery }) => close(delivery, 'receiver_unavailable')),
    );
    return pending.filter((each) => !isTooOld(each)).slice(0, 1);
  }

  /**
   * Makes attempts until there is no mail or the slice is over. While one of them hangs the place is taken anyway: others
   * go on beside it, also with mail that came after it began. The right is given back when none is under way.
   */
  async function deliver(): Promise<void> {
    const endMs = clock() + sliceMs;
    let pending: PendingDelivery[] = [];
    const faults: unknown[] = [];
    const endFor = (fault: unknown): void => {
      isOver = true;
      faults.push(fault);
    };
    const attempts = createInFlight(clock, endFor);
    const slots = () => {
      const isHanging = (attempts.oldestMs() ?? endMs) < endMs;
      // What takes longer than an attempt can does not hang at its receiver, and must not keep the right for ever.
      const untilMs = isHanging ? endMs + leaseMs : endMs;
      if (stops() || clock() >= untilMs) return 0;
      return Math.max(0, (isBroken(health) ? 1 : policy.maxConcurrent) - attempts.size());
    };

    async function look(): Promise<void> {
      // After a pause of this process the right may long be another's.
      if (clock() - keptAtMs > renewMs) await keep();
      if (slots() > 0 && pending.length === 0) pending = await nextPending(attempts);
    }

    for (;;) {
      if (slots() > 0) await look().catch(endFor);
      for (const next of pending.splice(0, slots())) attempts.begin(next.delivery.id, () => attempt(next));
      if (attempts.size() === 0) break;
      await attempts.oneEnds(slots() > 0 ? lookAgainMs : undefined);
    }
    if (faults.length > 0) throw faults[0];
    await keep();
  }

  return { deliver, closeAll };
}
