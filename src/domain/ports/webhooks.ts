import type { DelayReason, DestinationHealth } from '../destination-health.ts';
import type { Open } from '../open.ts';
import type { Delivery, DeliveryAttempt, DeliveryStatus } from '../webhook-delivery.ts';
import type { EventContent, JobEvent, TenantEvent } from '../webhook-event.ts';

/** Events, deliveries and the sender. */

/** Page of an index whose entries became due before a time, longest due first. */
export interface DuePage {
  readonly beforeMs: number;
  readonly limit: number;
  /** Rank of the first entry. Default 0. */
  readonly offset?: number;
}

/** The outbox: events that were written together with their cause. */
export interface WebhookEvents {
  /** Returns an event whose deliveries are not written yet; `null` if it was dispatched or erased. */
  undispatched(tenant: string, id: string): Promise<JobEvent | TenantEvent | null>;
  /** Returns the id of the job of an event, which only a newer release may be able to read; `null` if it is about no job. */
  jobIdOf(tenant: string, id: string): Promise<string | null>;
  /** Returns ids of events that were written before a time and are not dispatched yet. */
  listUndispatched(tenant: string, page: DuePage): Promise<string[]>;
  /**
   * Atomic: creates the deliveries and takes the event out of the outbox. Does nothing if the event is not in the outbox.
   *
   * @returns the delivery runs to enqueue. There is none for a delivery queue whose lease is held: the holder checks the
   *   queue again before it releases the lease.
   */
  dispatch(
    event: Pick<JobEvent, 'tenant' | 'id'>,
    options: {
      readonly deliveries: readonly Delivery[];
      readonly nowMs: number;
      /** Lifetime of the event's content, which redeliveries need, in milliseconds. */
      readonly contentTtlMs: number;
    },
  ): Promise<DispatchTask[]>;
  /** Returns whether an event can be sent again; false if its content expired or was erased. */
  hasContent(tenant: string, id: string): Promise<boolean>;
  /** Removes events, dispatched or not. Idempotent. */
  remove(tenant: string, ids: readonly string[]): Promise<void>;
}

/**
 * Task that starts a delivery run. The id includes the lease epoch, so a task enqueued while a run ends is not
 * deduplicated away.
 */
export interface DispatchTask {
  readonly destinationKey: string;
  readonly taskId: string;
}

export interface DeliveryQuery {
  readonly limit: number;
  /** Only deliveries with an id below this one. */
  readonly beforeId?: string | undefined;
  readonly destinationKey?: string | undefined;
  readonly jobId?: string | undefined;
  readonly status?: DeliveryStatus | undefined;
}

/** The delivery log. */
export interface Deliveries {
  get(tenant: string, id: string): Promise<Delivery | null>;
  /** Returns the attempts of each delivery, oldest first. */
  attempts(tenant: string, ids: readonly string[]): Promise<DeliveryAttempt[][]>;
  /**
   * Returns a page, newest event first. The work per call is bounded, so a page may contain fewer deliveries than `limit`.
   * Deliveries that this release cannot read are skipped and reported.
   */
  list(
    tenant: string,
    query: DeliveryQuery,
  ): Promise<{ deliveries: readonly Delivery[]; nextBeforeId: string | null }>;
  /** Writes an ended test delivery, its attempt and the sent body. It replaces the oldest of 1,000 tests of the tenant. */
  createEnded(
    delivery: Delivery,
    attempt: DeliveryAttempt,
    payload: { readonly body: string; readonly contentTtlMs: number },
  ): Promise<void>;
  /**
   * Compare-and-set of a delivery together with its delivery queue and, if given, an attempt. `change` must be pure.
   *
   * @returns the delivery as it is now; `null` if there is none.
   */
  update(
    known: Delivery,
    change: (delivery: Delivery) => Delivery | null,
    attempt?: DeliveryAttempt,
  ): Promise<Delivery | null>;
  /** Removes all deliveries of a job. Idempotent. */
  removeOf(tenant: string, jobId: string): Promise<void>;
  /** Removes a page of the deliveries that ended before a time. @returns how many. */
  purge(tenant: string, beforeMs: number): Promise<number>;
}

/**
 * Pending deliveries by destination. One run at a time, in whatever process, holds the lease of a delivery queue. So
 * destinations do not wait for each other and none receives more concurrent requests than allowed.
 */
export interface DeliveryQueues {
  /**
   * Acquires the lease of a delivery queue. If another run holds it, one caller should try again when the lease expires, in
   * case its holder dies; `hasFollowUp` says that another caller does so already.
   */
  acquireLease(
    tenant: string,
    destinationKey: string,
    options: { run: string; nowMs: number; leaseMs: number },
  ): Promise<
    { readonly health: DestinationHealth } | { readonly heldUntilMs: number; readonly hasFollowUp: boolean }
  >;
  /** Renews the lease and stores the health. @returns false, and stores none, if the run lost the lease or was interrupted. */
  renewLease(
    tenant: string,
    destinationKey: string,
    options: { run: string; nowMs: number; leaseMs: number; health: DestinationHealth },
  ): Promise<boolean>;
  /**
   * Returns deliveries due by a time with the content of their events, longest due first. `content` is `null` if it expired
   * or was erased. A delivery that this release cannot read is reported and postponed, so that it does not block the others.
   */
  due(
    tenant: string,
    destinationKey: string,
    options: { nowMs: number; limit: number },
  ): Promise<{ delivery: Delivery; content: EventContent | null }[]>;
  /**
   * Releases the lease.
   *
   * @returns the time until the next run: 0 if more deliveries are due, `null` if there are none or another run follows.
   */
  releaseLease(
    tenant: string,
    destinationKey: string,
    options: { run: string; nowMs: number },
  ): Promise<{ againInMs: number } | null>;
  health(tenant: string, destinationKeys: readonly string[]): Promise<DestinationHealth[]>;
  /** Resets the circuit breaker of a destination, because a caller expects the destination to work. Interrupts its run. */
  resetBreaker(tenant: string, destinationKey: string): Promise<void>;
  /** Makes the current run of a destination end at its next renewal, because the endpoint has changed. */
  interruptRun(tenant: string, destinationKey: string): Promise<void>;
  /** Returns a run for each delivery queue of the page whose lease is free and whose circuit breaker is not open. */
  overdue(tenant: string, page: DuePage): Promise<{ dispatchTasks: DispatchTask[]; isLast: boolean }>;
  /** Returns the task to enqueue for a run of a delivery queue. */
  dispatchTask(tenant: string, destinationKey: string): Promise<DispatchTask>;
  countPending(tenant: string): Promise<number>;
}

/** Requests to send to one host. */
export interface SendClaim {
  readonly tenant: string;
  readonly host: string;
  readonly nowMs: number;
  readonly wanted: number;
  /** Whether a caller tests the host, so that its circuit breaker does not matter. */
  readonly isTest?: boolean;
  /** Maximum numbers of requests per minute. */
  readonly limits: { readonly perHost: number; readonly perTenant: number };
}

export interface SendGrant {
  readonly granted: number;
  /** When more requests may be granted, and why not now. Absent if all were granted. */
  readonly untilMs?: number;
  readonly reason?: Open<DelayReason>;
  /** Whether the last attempt to reach the host failed. */
  readonly isFailing: boolean;
}

/**
 * Limits of webhook requests: per tenant, and per host of a tenant. All destinations of a tenant at one host share its limit
 * and its circuit breaker, so that one job cannot flood a third party.
 */
export interface SendLimits {
  /** Claims requests within the limits of a minute. While the breaker of the host is half-open, one request is granted. */
  claim(claim: SendClaim): Promise<SendGrant>;
  /** Records whether a host responded. */
  record(tenant: string, host: string, outcome: { nowMs: number; isReachable: boolean }): Promise<void>;
}

export interface WebhookResponse {
  /** Status of the response; `null` if there was none. */
  readonly status: number | null;
  /** `delivered`, or the reason in one word: `redirect_refused`, `address_forbidden`, `timeout`, `http_500`, ... */
  readonly outcome: string;
  readonly detail?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly latencyMs: number;
  /** Request headers without the signature. */
  readonly sentHeaders: Readonly<Record<string, string>>;
  /** The first 4 kB of the response, as text. */
  readonly excerpt?: string | undefined;
}

export interface WebhookSender {
  /** Makes one attempt. Never rejects because of the endpoint's behavior. */
  send(message: {
    /** Owner of the connections: they are not shared between destinations, even at the same host. */
    destination: string;
    url: string;
    eventId: string;
    body: string;
    secrets: readonly string[];
  }): Promise<WebhookResponse>;
}

export interface DestinationGuard {
  /**
   * Checks a URL without resolving names.
   *
   * @param pointer the request field that names the URL.
   * @returns the URL in its normal spelling (WHATWG), without spaces around it and line breaks in it.
   * @throws AppError `destination_forbidden` if the URL must not be called.
   */
  checkUrl(url: string, pointer?: string): { readonly href: string };
}
