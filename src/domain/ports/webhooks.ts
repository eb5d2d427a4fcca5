import type { DestinationHealth } from '../destination-health.ts';
import type { Delivery, DeliveryAttempt, DeliveryStatus } from '../webhook-delivery.ts';
import type { WebhookEndpoint } from '../webhook-endpoint.ts';
import type { ImageEventType, JobEvent } from '../webhook-event.ts';

/** Events, deliveries and their receivers. */

/** Events that were written with their cause. */
export interface WebhookEvents {
  /** An event whose deliveries are not written yet; `null` when they are, or when it was erased. */
  pending(tenant: string, id: string): Promise<JobEvent | null>;
  /** Ids of events that have been waiting for their deliveries since before a moment, longest first, a page by rank. */
  waiting(tenant: string, beforeMs: number, limit: number, offset?: number): Promise<string[]>;
  /**
   * Atomic: fixes the bytes that every attempt carries and writes the deliveries; nothing where this was done before or
   * the event was erased.
   *
   * @param keepMs how long the bytes are kept for sending them again.
   * @returns what to wake; nothing where somebody empties the mailbox, who looks again before leaving.
   */
  dispatch(
    event: Pick<JobEvent, 'tenant' | 'id'>,
    body: string,
    deliveries: readonly Delivery[],
    options: { nowMs: number; keepMs: number },
  ): Promise<DispatchTask[]>;
  /** The bytes of an announced event; `null` when they are gone. */
  body(tenant: string, id: string): Promise<string | null>;
  /** Forgets events, announced or not. Idempotent. */
  remove(tenant: string, ids: readonly string[]): Promise<void>;
}

/** Mail for a target is waiting. `taskId` differs after every run, so that no wake is swallowed by a run that ends. */
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

/** The log of deliveries. */
export interface Deliveries {
  get(tenant: string, id: string): Promise<Delivery | null>;
  /** The attempts of each delivery, oldest first. */
  attempts(tenant: string, ids: readonly string[]): Promise<DeliveryAttempt[][]>;
  /** Newest event first. The work per call is bounded, so a page may hold fewer than asked for. */
  list(
    tenant: string,
    query: DeliveryQuery,
  ): Promise<{ deliveries: readonly Delivery[]; nextBeforeId: string | null }>;
  /** Writes a delivery that has ended, with its only attempt and the bytes that were sent. */
  enter(
    delivery: Delivery,
    attempt: DeliveryAttempt,
    bytes: { readonly body: string; readonly keepMs: number },
  ): Promise<void>;
  /**
   * Compare-and-set, together with the mailbox and the attempt where there is one. `change` must be pure.
   *
   * @returns the delivery as it is now; `null` when there is none.
   */
  update(
    known: Delivery,
    change: (delivery: Delivery) => Delivery | null,
    attempt?: DeliveryAttempt,
  ): Promise<Delivery | null>;
  /** Forgets all deliveries of a job. Idempotent. */
  removeOf(tenant: string, jobId: string): Promise<void>;
  /** Forgets deliveries that ended before a moment. @returns how many, at most a page. */
  purge(tenant: string, beforeMs: number): Promise<number>;
}

/**
 * Pending deliveries by receiver. One run at a time empties a mailbox, wherever it runs, so that receivers neither
 * wait for each other nor get more than they can take.
 */
export interface DeliveryQueues {
  /**
   * Takes the right to empty a mailbox, or says until when another run has it, should that die. One of those who ask
   * meanwhile is to come back then; for the others it is watched.
   */
  take(
    tenant: string,
    destinationKey: string,
    options: { run: string; nowMs: number; leaseMs: number },
  ): Promise<
    { readonly health: DestinationHealth } | { readonly heldUntilMs: number; readonly isWatched: boolean }
  >;
  /** Keeps the right, and notes how the receiver does. @returns false when the right is lost. */
  keep(
    tenant: string,
    destinationKey: string,
    options: { run: string; nowMs: number; leaseMs: number; health: DestinationHealth },
  ): Promise<boolean>;
  /** Deliveries due by a moment with the bytes to send, the longest due first. `body` is `null` where it is gone. */
  due(
    tenant: string,
    destinationKey: string,
    options: { nowMs: number; limit: number },
  ): Promise<{ delivery: Delivery; body: string | null }[]>;
  /**
   * Gives the right back.
   *
   * @returns when to come back: 0 for more mail that is due, later for mail that is due then, `null` when somebody else
   *   will or there is nothing left.
   */
  release(
    tenant: string,
    destinationKey: string,
    options: { run: string; nowMs: number },
  ): Promise<{ againInMs: number } | null>;
  health(tenant: string, destinationKeys: readonly string[]): Promise<DestinationHealth[]>;
  /** Forgets how a receiver did, because somebody says that it works again. */
  resetBreaker(tenant: string, destinationKey: string): Promise<void>;
  /**
   * Of the mailboxes whose mail has been due since before a moment, a page by rank: those that nobody empties and whose
   * receivers do not rest.
   */
  overdue(
    tenant: string,
    beforeMs: number,
    limit: number,
    offset?: number,
  ): Promise<{ dispatchTasks: DispatchTask[]; isLast: boolean }>;
  /** What to queue so that a mailbox is looked at. */
  dispatchTask(tenant: string, destinationKey: string): Promise<DispatchTask>;
  countPending(tenant: string): Promise<number>;
}

export interface WebhookEndpoints {
  /** Atomic. @returns false when the tenant has as many as it may. */
  create(endpoint: WebhookEndpoint, max: number): Promise<boolean>;
  get(tenant: string, id: string): Promise<WebhookEndpoint | null>;
  /** Newest first. */
  list(
    tenant: string,
    query: { limit: number; beforeId?: string | undefined },
  ): Promise<{ endpoints: readonly WebhookEndpoint[]; nextBeforeId: string | null }>;
  /** Compare-and-set, together with the subscriptions. `change` must be pure. @returns the endpoint as it is now. */
  update(
    tenant: string,
    id: string,
    change: (endpoint: WebhookEndpoint) => WebhookEndpoint | null,
  ): Promise<WebhookEndpoint | null>;
  /** @returns whether there was one. */
  remove(tenant: string, id: string): Promise<boolean>;
  /** Endpoints for which an event of this type is written down. */
  subscribed(tenant: string, type: ImageEventType): Promise<WebhookEndpoint[]>;
}

export interface WebhookResponse {
  /** Receiver's status; `null` when there was no answer. */
  readonly status: number | null;
  /** `delivered`, or the reason in one word: `redirect_refused`, `address_forbidden`, `timeout`, `http_500`, ... */
  readonly outcome: string;
  readonly detail?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly latencyMs: number;
  /** Headers that were sent, without the signature. */
  readonly sentHeaders: Readonly<Record<string, string>>;
  /** The first 4 kB of the answer, as text. */
  readonly excerpt?: string | undefined;
}

export interface WebhookSender {
  /** One attempt. Never throws for what a receiver does. */
  send(message: {
    /** Names who is sent to: connections are shared with no other receiver, also where both are at one host. */
    destination: string;
    url: string;
    eventId: string;
    body: string;
    secrets: readonly string[];
  }): Promise<WebhookResponse>;
}

export interface DestinationGuard {
  /**
   * Does not resolve names.
   *
   * @param pointer the request field that names the URL.
   * @throws AppError `destination_forbidden` when a URL may not be called.
   */
  checkUrl(url: string, pointer?: string): void;
}
