import type { PolicyName } from '../access-policy.ts';
import type { BudgetCap, CapRefusal } from '../budget.ts';
import type { ImageJob, JobStatus } from '../image-job.ts';
import type { Quota } from '../quota.ts';
import type { NewEvent } from '../webhook-event.ts';
import type { InputSourceRecord } from './inputs.ts';

/** The store of jobs, and notifications between processes. */

export interface IdempotencyClaim {
  /** Digest of the caller's key. */
  readonly keyHash: string;
  /** Digest of the normalized request. Another digest under the same key is an error. */
  readonly fingerprint: string;
  readonly ttlMs: number;
}

/** Limit of the waiting jobs of a key or a tenant. */
export type QueueLimit = Pick<Quota, 'owner' | 'limit'>;

export type SubmitOutcome =
  /** `eventWritten` is set if the job's webhook or an endpoint wants its event, which was then written too. */
  | {
      readonly kind: 'created';
      readonly eventWritten?: true;
      /** Set if a threshold of a budget was reached, see `BudgetThresholds`. */
      readonly hasMark?: true;
    }
  | { readonly kind: 'replayed'; readonly job: ImageJob }
  | { readonly kind: 'key_reused' }
  /** The key was used, and the record of its job has expired. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'queue_full' }
  /** The limit of waiting jobs of the key or the tenant is reached. */
  | { readonly kind: 'queued_limit'; readonly limit: QueueLimit }
  /** The records of the tenant reach one of their limits. */
  | { readonly kind: 'records_full' }
  /** The tenant is throttled because of blocked prompts. */
  | { readonly kind: 'throttled'; readonly forMs: number }
  /** The hold of the job does not fit a hard cap. */
  | { readonly kind: 'capped'; readonly refusal: CapRefusal; readonly hasMark: boolean }
  /** An input was copied from a record that was deleted or erased. */
  | { readonly kind: 'source_gone'; readonly source: InputSourceRecord };

export interface JobListQuery {
  readonly limit: number;
  /** Only jobs with an id below this one. */
  readonly beforeId?: string | undefined;
  readonly status?: JobStatus | undefined;
  /** Names of one model. A job matches if its request has one of them. */
  readonly models?: readonly string[] | undefined;
  readonly createdAfterMs?: number | undefined;
  readonly createdBeforeMs?: number | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Id of a job or an upload. A job matches if it retries or varies that job, or has an input from there. */
  readonly parent?: string | undefined;
}

export interface JobList {
  readonly jobs: readonly ImageJob[];
  /** `beforeId` of the next page; `null` at the end. */
  readonly nextBeforeId: string | null;
}

/** The next state of a record and the event of that change. */
export interface Change {
  readonly job: ImageJob;
  /** Written in the same step, if the job's own webhook wants it or an endpoint subscribed to its type. */
  readonly event?: NewEvent;
}

/** Names a job; a whole record does so too. */
export type JobKey = Pick<ImageJob, 'tenant' | 'id'>;

export interface UpdateOptions {
  readonly known?: ImageJob | undefined;
  readonly onEvent?: (event: NewEvent) => void;
  /**
   * Returns the budgets that a higher hold must fit. Called only if the change raises the hold. Without it a hold may rise
   * above every cap, because the call behind it was already made.
   */
  readonly capsOf?: ((job: ImageJob) => Promise<readonly BudgetCap[]>) | undefined;
  /**
   * Returns the budgets whose thresholds are marked in the same step. Called only if the change raises the money that the job
   * holds or spent, and `capsOf` is not called.
   */
  readonly budgetsOf?: ((job: ImageJob) => Promise<readonly BudgetCap[]>) | undefined;
  /** Called if the step marked a threshold, also if the hold does not fit. */
  readonly onMark?: () => void;
  /** Called with the budget that a higher hold does not fit, before the error. */
  readonly onCapped?: (refusal: CapRefusal) => void;
}

/** Part of a list, by rank. */
export interface Page {
  readonly offset: number;
  readonly limit: number;
}

/** Called for a stored record that a list skips, because another release or a fault wrote it in an unreadable form. */
export type OnUnreadable = (record: {
  readonly kind:
    | 'job'
    | 'upload'
    | 'api_key'
    | 'tenant'
    | 'audit_entry'
    | 'event'
    | 'delivery'
    | 'delivery_attempt'
    | 'webhook_endpoint'
    | 'process_state';
  readonly id: string;
  readonly tenant?: string;
  readonly error: unknown;
}) => void;

/**
 * The runs of every worker process. After a crash they show how many runs ended with the process.
 */
export interface WorkerRuns {
  /** Name of this process, unique for each start. */
  readonly worker: string;
  /** Registers a run of this process. Must succeed before the run starts. @throws AppError `store_unavailable` */
  begin(job: JobKey): Promise<void>;
  /** Removes an ended run of this process. Never rejects; a failed removal is repeated with the next run. */
  end(job: JobKey): Promise<void>;
  /**
   * Returns how many runs ended with a process that is gone; 0 if the run of this job ended without a crash.
   *
   * @throws AppError `store_unavailable`
   */
  endedWith(worker: string, job: JobKey): Promise<number>;
  /** Returns the number of runs of each process. @throws AppError `store_unavailable` */
  count(workers: readonly string[]): Promise<number[]>;
}

/** Limits of the records of one tenant. */
export interface RecordLimits {
  readonly maxRecords: number;
  /** Size of all records, in bytes. */
  readonly maxBytes: number;
}

/** The job records. Every call names the tenant; records of another tenant do not exist for it. */
export interface JobStore {
  /**
   * Claims the key, checks the limit, the caps and the sources, and writes record, indexes and event. Atomic: does all of it
   * or nothing.
   */
  submit(input: {
    job: ImageJob;
    claim?: IdempotencyClaim | undefined;
    event?: NewEvent | undefined;
    maxOpenJobs: number;
    /** Limits of all records of the tenant. Default: none. */
    storage?: RecordLimits | undefined;
    /** Budgets that the hold of the job must fit. */
    caps?: readonly BudgetCap[] | undefined;
    /** Limits of waiting jobs. */
    queueLimits?: readonly QueueLimit[] | undefined;
    /** Records that must exist, because a job must not outlive the erasure of its source. */
    sources?: readonly InputSourceRecord[] | undefined;
  }): Promise<SubmitOutcome>;
  /** Finds the job of a claimed key, without claiming it. */
  findByKey(
    tenant: string,
    claim: Pick<IdempotencyClaim, 'keyHash' | 'fingerprint'>,
  ): Promise<Extract<SubmitOutcome, { kind: 'replayed' | 'key_reused' | 'gone' }> | null>;
  get(tenant: string, id: string): Promise<ImageJob | null>;
  /** Reads only the version of a record, at a fraction of the cost of `get`; `null` if there is none. */
  versionOf(tenant: string, id: string): Promise<number | null>;
  /**
   * Compare-and-set: reads the record, applies `change`, and writes if the version is unchanged. Otherwise starts over
   * with the newer record. `change` must be pure; `null` leaves the record unchanged, and an error is passed on with
   * nothing written. Notifies the listeners of the job.
   *
   * @param options.known a record read before. Saves the read if it is current.
   * @param options.onEvent called with the event once it is written.
   * @returns the current record; `null` if there is none.
   * @throws AppError `budget_exceeded` if a higher hold does not fit a cap.
   */
  update(
    key: JobKey,
    change: (job: ImageJob) => Change | null,
    options?: UpdateOptions,
  ): Promise<ImageJob | null>;
  /**
   * Lists jobs, newest first. The work per call is bounded, so a page may hold fewer jobs than requested. Skips and
   * reports records that it cannot read.
   */
  list(tenant: string, query: JobListQuery): Promise<JobList>;
  /** Tenants that ever submitted a job. */
  tenants(): Promise<string[]>;
  countOpen(tenant: string): Promise<number>;
  /** Creation time of the oldest job in a status; `null` if there is none. The cost does not depend on their number. */
  oldestCreatedAt(tenant: string, status: JobStatus): Promise<number | null>;
  /** A page, by rank, of a tenant's unfinished jobs in the order of their last change. */
  openJobs(tenant: string, page: Page): Promise<{ id: string; changedAt: number }[]>;
  /** A page, by rank, of the ids of jobs due until a time, see `dueAt`. The longest due job comes first. */
  dueJobs(tenant: string, nowMs: number, page: Page): Promise<string[]>;
  /** Returns for each id, in sequence, whether its job has not ended. A job without a record has ended. */
  areOpen(tenant: string, ids: readonly string[]): Promise<boolean[]>;
  /** Returns ids of jobs that lack thumbnails and ended in a range of time, longest ended first. Forgets older ones. */
  withoutThumbnails(
    tenant: string,
    range: { readonly fromMs: number; readonly toMs: number; readonly limit: number },
  ): Promise<string[]>;
  /** Removes record and indexes. Idempotent. @returns false if the job stays, because its ledger is not archived yet. */
  remove(job: ImageJob): Promise<boolean>;
}

/** Best-effort notifications between processes, delivered at most once. Callers also poll. */
export interface Signals {
  /** Calls back on every change of a job's record in any process. Returns a function that stops listening. */
  onChange(tenant: string, id: string, listener: () => void): () => void;
  /** Calls back on every change of a record of the tenant in any process. Returns a function that stops listening. */
  onTenantChange(tenant: string, listener: () => void): () => void;
  /** Calls back on a cancel request in any process. */
  onCancel(listener: (id: string) => void): () => void;
  requestCancel(id: string): Promise<void>;
  /** Calls back if a key or a tenant was created or changed in any process. */
  onPolicyChange(listener: (changed: PolicyName) => void): () => void;
}

/** A change of a job: the part of its history that the change added. */
export interface JobChange {
  /** Position in the log. Later changes have higher positions. */
  readonly position: string;
  /** `null` for an entry without a job. */
  readonly jobId: string | null;
  /** Length of the history before the change. */
  readonly from: number;
  /** Length of the history after the change. */
  readonly to: number;
}

/** The log of the changes of a tenant's jobs, written in the same atomic step as the records. */
export interface JobChanges {
  /**
   * Starts the log of a tenant if necessary, and keeps it for two hours. Changes before the start are not in the log.
   *
   * @returns the position of the last entry.
   */
  open(tenant: string): Promise<string>;
  /** Returns entries from a position on, the position included, at most `limit`. */
  read(tenant: string, from: string, limit: number): Promise<readonly JobChange[]>;
}
