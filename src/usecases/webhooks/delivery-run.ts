import {
  afterFailure,
  type DestinationHealth,
  hasFailedFor,
  healthy,
  isBroken,
  waitUntil,
} from '../../domain/destination-health.ts';
import type { Clock, Deliveries, DeliveryQueues, SendLimits } from '../../domain/ports.ts';
import {
  afterAttempt,
  type Delivery,
  failDelivery,
  scheduleLengthMs,
} from '../../domain/webhook-delivery.ts';
import type { AttemptDelivery } from './attempt-delivery.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import type { RenderEvent } from './render-event.ts';
import type { Destination } from './resolve-destination.ts';
import { createSendPermits } from './send-permits.ts';

export interface DeliveryRunDeps {
  readonly deliveryQueues: DeliveryQueues;
  readonly deliveries: Deliveries;
  readonly sendLimits: SendLimits;
  readonly attemptDelivery: AttemptDelivery;
  readonly renderEvent: RenderEvent;
  readonly clock: Clock;
  readonly random: () => number;
  readonly policy: DeliveryPolicy;
}

/** Limits of deliveries, set by the deployment. */
export interface DeliveryPolicy {
  /** Seconds before each attempt, from the attempt before it. The first entry belongs to attempt 1, which is immediate. */
  readonly schedule: readonly number[];
  /** An endpoint with failures only is disabled after this time, in milliseconds. */
  readonly disableAfterMs: number;
  /** Maximum number of concurrent attempts to one destination. */
  readonly maxConcurrent: number;
  /** Number of destinations that a process serves concurrently. */
  readonly slots: number;
  /** Maximum numbers of requests per minute: to one host, and of one tenant. */
  readonly requestsPerMinute: { readonly perHost: number; readonly perTenant: number };
}

/** Context of a run while it holds the lease of the delivery queue. */
export interface DeliveryLease {
  readonly destination: Destination;
  readonly health: DestinationHealth;
  /** Token of the lease. */
  readonly run: string;
  readonly signal: AbortSignal;
}

type PendingDelivery = Awaited<ReturnType<DeliveryQueues['due']>>[number];

/** Lifetime of a lease without renewal. Longer than any attempt, so an expired lease means that its run died. */
export const leaseMs = 20_000;
/** Together with the longest attempt, started just before a renewal is due, this is shorter than the lease. */
const renewIntervalMs = 2_500;
/** A run ends after this time, so that a long delivery queue does not occupy a worker slot permanently. */
const sliceMs = 2_000;
const batchSize = 64;
/** Interval at which new deliveries are looked up while an attempt hangs, and maximum age of a look whose deliveries are sent. */
const pollIntervalMs = 250;
const graceMs = 3_600_000;

/** Creates a run, from the acquired lease to its release. */
export function createDeliveryRun(
  deps: DeliveryRunDeps,
  { destination, health: knownHealth, run, signal }: DeliveryLease,
) {
  const { clock, policy } = deps;
  const tooOldMs = scheduleLengthMs(policy.schedule) + graceMs;
  const { tenant, destinationKey } = destination;
  let health = knownHealth;
  let renewedAtMs = clock();
  let isOver = false;
  const permits = createSendPermits({ ...deps, limits: policy.requestsPerMinute }, tenant);

  const isCoolingDown = () => (health.blockedUntil ?? 0) > clock();
  const isStopping = () => isOver || signal.aborted || isCoolingDown();

  async function renewLease(): Promise<void> {
    const nowMs = clock();
    renewedAtMs = nowMs;
    const block = permits.block();
    const isHeld = await deps.deliveryQueues.renewLease(tenant, destinationKey, {
      run,
      nowMs,
      leaseMs,
      health: block ? waitUntil(health, block) : health,
    });
    if (!isHeld) isOver = true;
  }

  async function attempt({ delivery, content }: PendingDelivery): Promise<void> {
    if (content === null) return void (await fail(delivery, 'erased'));
    const body = await deps.renderEvent(content);
    const random = deps.random();
    const { attempt, retryAfterMs } = await deps.attemptDelivery(destination, delivery, body);
    const { outcome, url } = attempt;
    await permits.record(url, attempt);
    const nowMs = clock();
    await deps.deliveries.update(
      delivery,
      (now) =>
        afterAttempt(now, { outcome, url, retryAfterMs }, { nowMs, random, schedule: policy.schedule }),
      attempt,
    );
    const isReachable = outcome === 'delivered' || (destination.hasManyUrls && attempt.status !== null);
    health = isReachable ? healthy : afterFailure(health, nowMs, retryAfterMs);
    await disableIfHopeless(outcome, nowMs);
  }

  async function disableIfHopeless(outcome: string, nowMs: number): Promise<void> {
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
    await failAll('endpoint_disabled');
  }

  const fail = (delivery: Delivery, outcome: string) =>
    deps.deliveries.update(delivery, (now) =>
      now.status === 'pending' ? failDelivery(now, outcome, clock()) : null,
    );

  /** Ends every pending delivery without a further attempt. */
  async function failAll(outcome: string): Promise<void> {
    const failed = new Set<string>();
    for (;;) {
      const pending = await deps.deliveryQueues.due(tenant, destinationKey, {
        nowMs: Number.MAX_SAFE_INTEGER,
        limit: batchSize,
      });
      if (pending.length === 0) return;
      // The retry comes after a pause; this loop would never end.
      if (pending.every(({ delivery }) => failed.has(delivery.id))) {
        throw new Error('failed deliveries stay in their delivery queue');
      }
      await Promise.all(pending.map(({ delivery }) => fail(delivery, outcome)));
      for (const { delivery } of pending) failed.add(delivery.id);
    }
  }

  /**
   * Returns the next deliveries to attempt, without those in flight. If the circuit breaker is open, deliveries past the
   * schedule fail without an attempt and one of the others is returned as a probe.
   */
  async function nextPending(attempts: InFlight): Promise<PendingDelivery[]> {
    const nowMs = clock();
    // Read before the query: an attempt that ends during it was still due when the query ran.
    const inFlight = attempts.names();
    const due = await deps.deliveryQueues.due(tenant, destinationKey, {
      nowMs,
      limit: batchSize + inFlight.size,
    });
    const pending = due.filter(({ delivery }) => !inFlight.has(delivery.id));
    if (!isBroken(health)) return pending;
    const isTooOld = ({ delivery }: PendingDelivery) => nowMs - delivery.startedAt > tooOldMs;
    await Promise.all(pending.filter(isTooOld).map(({ delivery }) => fail(delivery, 'endpoint_unavailable')));
    return pending.filter((each) => !isTooOld(each)).slice(0, 1);
  }

  /**
   * Makes attempts until no delivery is due or the slice is over. A hanging attempt occupies the worker slot anyway, so
   * further attempts run beside it, also for deliveries that were created since. Ends when no attempt is in flight.
   */
  async function deliver(): Promise<void> {
    const endMs = clock() + sliceMs;
    let pending: PendingDelivery[] = [];
    let readAtMs = 0;
    const faults: unknown[] = [];
    const endBecauseOf = (fault: unknown): void => {
      isOver = true;
      faults.push(fault);
    };
    const attempts = createInFlight(clock, endBecauseOf);
    const freeSlots = () => {
      const isHanging = (attempts.oldestStartMs() ?? endMs) < endMs;
      // An operation longer than any attempt does not wait for its endpoint and must not extend the run without end.
      const untilMs = isHanging ? endMs + leaseMs : endMs;
      if (isStopping() || clock() >= untilMs) return 0;
      return Math.max(0, (isBroken(health) ? 1 : policy.maxConcurrent) - attempts.size());
    };

    async function refill(): Promise<void> {
      // After a pause of this process another run may hold the lease.
      if (clock() - renewedAtMs > renewIntervalMs) await renewLease();
      // A delivery that waits for a slot may be erased or changed in the store.
      if (clock() - readAtMs > pollIntervalMs) pending = [];
      if (freeSlots() === 0 || pending.length > 0 || permits.block()) return;
      readAtMs = clock();
      pending = await nextPending(attempts);
    }

    /** Starts as many attempts as slots are free. Only these count against the limits. */
    async function startAttempts(): Promise<void> {
      const next = pending.splice(0, freeSlots());
      const admitted = await permits.admit(next, ({ delivery }) => destination.urlOf(delivery));
      if (admitted.length < next.length) pending = [];
      if (isStopping()) return;
      for (const each of admitted) attempts.start(each.delivery.id, () => attempt(each));
    }

    for (;;) {
      if (freeSlots() > 0) await refill().then(startAttempts).catch(endBecauseOf);
      if (attempts.size() === 0) break;
      await attempts.nextEnd(freeSlots() > 0 ? pollIntervalMs : undefined);
    }
    if (faults.length > 0) throw faults[0];
    await renewLease();
  }

  return { deliver, failAll };
}
