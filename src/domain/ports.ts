import type { ApiKeyRecord } from './api-key.ts';
import type { TokenUsage } from './cost.ts';
import type { Billing, ErrorCode } from './errors.ts';
import type { ImageJob, JobStatus } from './image-job.ts';
import type { ReceiverHealth } from './receiver-health.ts';
import type { Delivery, DeliveryAttempt, DeliveryStatus } from './webhook-delivery.ts';
import type { WebhookEndpoint } from './webhook-endpoint.ts';
import type { EventNote, ImageEventType, JobEvent } from './webhook-event.ts';

/**
 * What the use cases need from the outside, with the promises each adapter has to keep. One contract suite per port
 * in `test/contract` runs over every adapter.
 */

/** Milliseconds since the epoch. */
export type Clock = () => number;

/** Prefixed, sortable identifiers. */
export interface Ids {
  /** The time is part of a job's id, so that the index of jobs is ordered by creation. */
  image(nowMs: number): string;
  endpoint(nowMs: number): string;
  event(nowMs: number): string;
  /** The same for the same event and target, so that one event is never delivered twice by a repeated step. */
  delivery(eventAtMs: number, eventId: string, target: string): string;
  /** The mailbox of the host that a job named; those of other tenants are apart. */
  hostTarget(tenant: string, url: string): string;
  /** Names one run of a worker. */
  run(): string;
}

/** Structured log; never given prompts, keys or links. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What is counted and timed. Labels never hold ids. */
export interface Meter {
  submitted(outcome: 'created' | 'replayed'): void;
  jobFinished(status: JobStatus, code: string): void;
  stageDone(stage: 'queued' | 'enhancing' | 'generating' | 'storing', seconds: number): void;
  providerCall(kind: 'generate' | 'enhance', model: string, outcome: string, seconds: number): void;
  imageStored(contentType: string, sizeBytes: number): void;
  webhookAttempt(outcome: string, seconds: number): void;
}

// ── Records ─────────────────────────────────────────────────────────────────────────────────────────────────────

export interface IdempotencyClaim {
  /** Digest of the caller's key. */
  readonly keyHash: string;
  /** Digest of the normalised request; another one under the same key is a mistake. */
  readonly fingerprint: string;
  readonly ttlMs: number;
}

export type SubmitOutcome =
  /** `told`: its event was written as well, because somebody asked for it. */
  | { readonly kind: 'created'; readonly told?: true }
  | { readonly kind: 'replayed'; readonly job: ImageJob }
  | { readonly kind: 'key_reused' }
  | { readonly kind: 'queue_full' };

export interface ImageListQuery {
  readonly limit: number;
  /** Only jobs with an id below this one. */
  readonly beforeId?: string | undefined;
  readonly status?: JobStatus | undefined;
  readonly model?: string | undefined;
  readonly createdAfterMs?: number | undefined;
  readonly createdBeforeMs?: number | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface ImageList {
  readonly jobs: readonly ImageJob[];
  /** Pass as `beforeId` for the next page; `null` at the end. */
  readonly nextBeforeId: string | null;
}

/** The next state of a record and the event that its change is; `null` leaves the record as it is. */
export interface Change {
  readonly job: ImageJob;
  /** Written in the same step, where the job's own webhook wants it or an endpoint has asked for its type. */
  readonly event?: EventNote;
}

/** The job records. Every call names the tenant; what belongs to another one does not exist. */
export interface ImageRecords {
  /** Atomic: claims the key, checks the limit, writes record, indexes and event, or does nothing at all. */
  submit(input: {
    job: ImageJob;
    claim?: IdempotencyClaim | undefined;
    event?: EventNote | undefined;
    maxOpenJobs: number;
  }): Promise<SubmitOutcome>;
  /** The job that a key was claimed for, without claiming it. */
  findByKey(
    tenant: string,
    claim: Pick<IdempotencyClaim, 'keyHash' | 'fingerprint'>,
  ): Promise<Exclude<SubmitOutcome, { kind: 'created' | 'queue_full' }> | null>;
  get(tenant: string, id: string): Promise<ImageJob | null>;
  /**
   * Compare-and-set: reads, applies `change`, writes if nobody else wrote in between, else starts over with the newer
   * record. `change` must be pure; what it throws is passed on and nothing is written. Tells the listeners of the job.
   *
   * @param known a record read before, which saves the read when it is still current.
   * @param onEvent hears of the event once it is written.
   * @returns the record as it is now; `null` when there is none.
   */
  update(
    tenant: string,
    id: string,
    change: (job: ImageJob) => Change | null,
    known?: ImageJob,
    onEvent?: (event: EventNote) => void,
  ): Promise<ImageJob | null>;
  /** Newest first. The work per call is bounded whatever is kept, so a page may hold fewer jobs than asked for. */
  list(tenant: string, query: ImageListQuery): Promise<ImageList>;
  /** Tenants that ever submitted a job. */
  tenants(): Promise<string[]>;
  countOpen(tenant: string): Promise<number>;
  /** Unfinished jobs of a tenant by the time of their last change, a page by rank. */
  openJobs(tenant: string, offset: number, limit: number): Promise<{ id: string; changedAt: number }[]>;
  /** Ids of jobs that need attention by a moment, see `dueAt`; the longest due first, a page by rank. */
  dueJobs(tenant: string, nowMs: number, offset: number, limit: number): Promise<string[]>;
  /** Removes record and indexes. Idempotent. */
  remove(job: ImageJob): Promise<void>;
}

export interface ApiKeys {
  /** `null` when there is no such key. */
  get(id: string): Promise<ApiKeyRecord | null>;
  put(record: ApiKeyRecord): Promise<void>;
  list(tenant?: string): Promise<ApiKeyRecord[]>;
}

/** Tells processes of changes and wishes, without a guarantee: a lost message costs only time. */
export interface Signals {
  /** Calls back on every change of a job's record anywhere; returns the way to stop. */
  onChange(tenant: string, id: string, listener: () => void): () => void;
  /** Calls back when a job anywhere is to be canceled. */
  onCancel(listener: (id: string) => void): () => void;
  requestCancel(id: string): Promise<void>;
}

// ── Queue ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a queue message carries: ids, nothing else. */
export interface Task {
  readonly tenant: string;
  readonly id: string;
}

export interface QueueCounts {
  readonly waiting: number;
  readonly delayed: number;
  readonly active: number;
}

/** Work waiting to be done. May lose everything at any time: the records are the truth and a reconciler refills it. */
export interface TaskQueue {
  /**
   * Adding a task that is already queued changes nothing.
   *
   * @param options.taskId what tells tasks apart, where one id may be queued more than once.
   */
  add(
    task: Task,
    options: { priority: 'low' | 'normal' | 'high'; delayMs?: number; taskId?: string },
  ): Promise<void>;
  /** Takes a waiting or delayed task out and says whether it did; a task that runs stays. */
  remove(id: string): Promise<boolean>;
  /** How many tasks are ahead; `null` when it is not waiting. */
  position(id: string): Promise<number | null>;
  /** For each id whether the queue still knows a task for it. */
  has(ids: readonly string[]): Promise<boolean[]>;
  counts(): Promise<QueueCounts>;
}

/** Why a running task is told to stop; the reason of its signal. */
export type StopReason = 'canceled' | 'draining' | 'lock_lost' | 'run_timeout';

/** What a consumer does with a task after the use case: done, or again after a delay (0: at once, elsewhere). */
export type TaskResult = { readonly done: true } | { readonly againInMs: number };

// ── Providers ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Parameters of one picture, in the provider's own names. */
export interface PictureCall {
  readonly model: string;
  readonly prompt: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface CallContext {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Sent as X-Client-Request-Id, so that provider and ledger can be compared. */
  readonly clientRequestId: string;
  readonly traceparent?: string | undefined;
  /**
   * Hears the handle of a call as soon as there is one; nothing else happens before it resolves. A rejection has the
   * call given up at the provider.
   */
  readonly onHandle?: ((handle: string) => Promise<void>) | undefined;
}

/** What is known of an answer before its body. */
export interface AnswerHead {
  readonly providerRequestId?: string | undefined;
}

/** Takes the body of an answer as it arrives; resolves when every byte is safe. */
export type AnswerSink = (head: AnswerHead, body: AsyncIterable<Uint8Array>) => Promise<void>;

/** A picture found in an answer. `bytes` is decoded and byte-exact. */
export interface DecodedPicture {
  readonly bytes: Buffer;
  readonly contentType: string;
  readonly width: number;
  readonly height: number;
}

export interface DecodedAnswer {
  readonly picture: DecodedPicture;
  /** What the picture used; `null` when the answer does not say. */
  readonly usage: TokenUsage | null;
  readonly revisedPrompt: string | null;
  /** The language model that carried the call, where one did; what it used is charged beside the picture. */
  readonly carrier?: { readonly model: string; readonly usage: TokenUsage | null };
}

/** Why a provider call brought nothing, told apart by what follows from it. */
export interface ProviderFailure {
  /**
   * `refused`: proved not accepted, nothing spent, may be asked again later.
   * `stopped`: refused until a person acts (no credit, wrong key); nothing spent.
   * `final`: the same request will never be accepted (moderation, invalid); nothing spent.
   * `uncertain`: sent, but the outcome is unknown.
   * `unusable`: answered, and possibly charged, but without a picture.
   */
  readonly kind: 'refused' | 'stopped' | 'final' | 'uncertain' | 'unusable';
  readonly code: ErrorCode;
  readonly billing: Billing;
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
  readonly provider?:
    | { status?: number; code?: string; request_id?: string; categories?: string[] }
    | undefined;
}

/** Thrown by providers and enhancers, and by nothing else. */
export class ProviderError extends Error {
  readonly failure: ProviderFailure;

  constructor(failure: ProviderFailure, cause?: unknown) {
    super(failure.message, { cause });
    this.name = 'ProviderError';
    this.failure = failure;
  }
}

export interface ImageProvider {
  readonly name: 'openai' | 'studio';
  /**
   * Makes exactly one call for exactly one picture: no retries of any kind. The body goes to `sink` as it arrives.
   *
   * @throws ProviderError; after an abort by `signal` one of kind `uncertain`, unless nothing was sent. A call with a
   * handle goes on at the provider when the reason is `draining` or `lock_lost`, and is stopped there otherwise.
   */
  generate(call: PictureCall, context: CallContext, sink: AnswerSink): Promise<AnswerHead>;
  /**
   * Takes up a call by its handle, after a death of whoever made it. Costs nothing. Only where calls have handles.
   *
   * @throws ProviderError
   */
  resume?(handle: string, context: CallContext, sink: AnswerSink): Promise<AnswerHead>;
  /** Asks the provider to stop a call that has a handle; best effort, never throws. */
  abandon?(handle: string): Promise<void>;
  /**
   * Finds the picture in a spooled answer. Free: may be repeated.
   *
   * @throws ProviderError of kind `unusable` when there is none.
   */
  decode(answer: AsyncIterable<Uint8Array>): Promise<DecodedAnswer>;
}

/**
 * What keeps calls from being made at all: an account without credit, or a lane that the provider asked to rest. Shared
 * by all workers of a deployment.
 */
export interface ProviderGate {
  /** Why and until when a call in one of these lanes must wait; `null` when it may be made. */
  closedFor(lanes: readonly string[]): Promise<{ untilMs: number; code: ErrorCode } | null>;
  /** Closes a lane until a moment. */
  close(lane: string, options: { untilMs: number; code: ErrorCode }): Promise<void>;
  /**
   * Closes a lane until a call in it is accepted: after a rest that doubles with every refusal a single call tries, the
   * others go on waiting.
   */
  suspect(lane: string, code: ErrorCode): Promise<void>;
  /** Why a lane is suspect; `null` when it is not. Changes nothing. */
  refusalOf(lane: string): Promise<ErrorCode | null>;
  /** Opens a lane after a call in it was accepted. */
  open(lane: string): Promise<void>;
}

export interface PromptEnhancer {
  readonly model: string;
  /**
   * One call, no retries: turns a short prompt into a detailed description in the same language, quoted text kept.
   *
   * @throws ProviderError
   */
  enhance(
    prompt: string,
    context: CallContext,
  ): Promise<{ text: string; providerRequestId?: string | undefined; usage: TokenUsage | null }>;
}

// ── Bytes ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Names one provider answer. */
export interface SpoolKey {
  readonly tenant: string;
  readonly jobId: string;
  readonly attemptNo: number;
}

/** Answers on local disk between "paid" and "stored". */
export interface Spool {
  /** Returns once the bytes are on disk (fsync) under their final name; a broken-off body leaves nothing behind. */
  write(key: SpoolKey, head: AnswerHead, body: AsyncIterable<Uint8Array>): Promise<void>;
  /** `null` when there is no complete answer under that name. */
  open(key: SpoolKey): Promise<{ head: AnswerHead; body: AsyncIterable<Uint8Array> } | null>;
  /** Idempotent. */
  remove(key: SpoolKey): Promise<void>;
  /** Keys of all complete answers, in no order. */
  list(): AsyncIterable<SpoolKey>;
  /** Whether another answer may be awaited; a full spool has to stop calls, not lose answers. */
  hasRoom(): Promise<boolean>;
}

export interface LinkOptions {
  readonly expiresAtMs: number;
  readonly contentType: string;
  /** File name offered by the link. */
  readonly fileName: string;
}

export interface ImageStorage {
  readonly name: 'filesystem' | 's3';
  /** Stores bytes under a key; the same key again replaces them. Returns only when they are safe. */
  put(key: string, bytes: Buffer, contentType: string): Promise<void>;
  /** `null` when there is nothing under the key. */
  read(key: string): Promise<{ body: AsyncIterable<Uint8Array>; sizeBytes: number } | null>;
  /** Idempotent. */
  remove(key: string): Promise<void>;
  /**
   * A link that works without a key until it expires: an absolute URL, or a path below the public address where
   * Darkroom itself serves the bytes.
   */
  link(key: string, options: LinkOptions): Promise<string>;
  /** @throws AppError `storage_unavailable` saying what is wrong and what to do. */
  check(): Promise<void>;
}

// ── Webhooks ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Events that were written with their cause. */
export interface WebhookEvents {
  /** An event whose deliveries are not written yet; `null` when they are, or when it was erased. */
  pending(tenant: string, id: string): Promise<JobEvent | null>;
  /** Ids of events that have been waiting for their deliveries since before a moment. */
  waiting(tenant: string, beforeMs: number, limit: number): Promise<string[]>;
  /**
   * Atomic: fixes the bytes that every attempt carries and writes the deliveries; nothing where this was done before or
   * the event was erased.
   *
   * @param keepMs how long the bytes are kept for sending them again.
   * @returns what to wake.
   */
  announce(
    event: Pick<JobEvent, 'tenant' | 'id'>,
    body: string,
    deliveries: readonly Delivery[],
    options: { nowMs: number; keepMs: number },
  ): Promise<Wake[]>;
  /** The bytes of an announced event; `null` when they are gone. */
  body(tenant: string, id: string): Promise<string | null>;
  /** Forgets events, announced or not. Idempotent. */
  remove(tenant: string, ids: readonly string[]): Promise<void>;
}

/** Mail for a target is waiting. `taskId` differs after every run, so that no wake is swallowed by a run that ends. */
export interface Wake {
  readonly target: string;
  readonly taskId: string;
}

export interface DeliveryQuery {
  readonly limit: number;
  /** Only deliveries with an id below this one. */
  readonly beforeId?: string | undefined;
  readonly target?: string | undefined;
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
  forget(tenant: string, beforeMs: number): Promise<number>;
}

/**
 * Pending deliveries by receiver. One run at a time empties a mailbox, wherever it runs, so that receivers neither
 * wait for each other nor get more than they can take.
 */
export interface Mailboxes {
  /** Takes the right to empty a mailbox, or says until when another run has it, should that die. */
  take(
    tenant: string,
    target: string,
    options: { run: string; nowMs: number; leaseMs: number },
  ): Promise<{ readonly health: ReceiverHealth } | { readonly heldUntilMs: number }>;
  /** Keeps the right, and notes how the receiver does. @returns false when the right is lost. */
  keep(
    tenant: string,
    target: string,
    options: { run: string; nowMs: number; leaseMs: number; health: ReceiverHealth },
  ): Promise<boolean>;
  /** Deliveries due by a moment with the bytes to send, the longest due first. `body` is `null` where it is gone. */
  due(
    tenant: string,
    target: string,
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
    target: string,
    options: { run: string; nowMs: number },
  ): Promise<{ againInMs: number } | null>;
  health(tenant: string, targets: readonly string[]): Promise<ReceiverHealth[]>;
  /** Forgets how a receiver did, because somebody says that it works again. */
  forgive(tenant: string, target: string): Promise<void>;
  /** Mailboxes whose mail has been due since before a moment and that nobody empties. */
  overdue(tenant: string, beforeMs: number, limit: number): Promise<Wake[]>;
  /** What to queue so that a mailbox is looked at. */
  wake(tenant: string, target: string): Promise<Wake>;
  countPending(tenant: string): Promise<number>;
}

export interface WebhookEndpoints {
  /** Atomic. @returns false when the tenant has as many as it may. */
  create(endpoint: WebhookEndpoint, most: number): Promise<boolean>;
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

export interface WebhookAnswer {
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
    url: string;
    eventId: string;
    body: string;
    secrets: readonly string[];
  }): Promise<WebhookAnswer>;
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
