import type { ApiKeyRecord } from '../api-key.ts';
import type { ImageJob, JobStatus } from '../image-job.ts';
import type { NewEvent } from '../webhook-event.ts';

/** Where jobs and keys are kept, and how processes hear of changes. */

export interface IdempotencyClaim {
  /** Digest of the caller's key. */
  readonly keyHash: string;
  /** Digest of the normalized request; another one under the same key is a mistake. */
  readonly fingerprint: string;
  readonly ttlMs: number;
}

export type SubmitOutcome =
  /** `told`: its event was written as well, because somebody asked for it. */
  | { readonly kind: 'created'; readonly eventWritten?: true }
  | { readonly kind: 'replayed'; readonly job: ImageJob }
  | { readonly kind: 'key_reused' }
  /** The key was used, but the record of its job has expired. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'queue_full' };

export interface JobListQuery {
  readonly limit: number;
  /** Only jobs with an id below this one. */
  readonly beforeId?: string | undefined;
  readonly status?: JobStatus | undefined;
  /** Names of which the order has to hold one: those of one model. */
  readonly models?: readonly string[] | undefined;
  readonly createdAfterMs?: number | undefined;
  readonly createdBeforeMs?: number | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface JobList {
  readonly jobs: readonly ImageJob[];
  /** Pass as `beforeId` for the next page; `null` at the end. */
  readonly nextBeforeId: string | null;
}

/** The next state of a record and the event that its change is; `null` leaves the record as it is. */
export interface Change {
  readonly job: ImageJob;
  /** Written in the same step, where the job's own webhook wants it or an endpoint has asked for its type. */
  readonly event?: NewEvent;
}

/** The job records. Every call names the tenant; what belongs to another one does not exist. */
export interface JobStore {
  /** Atomic: claims the key, checks the limit, writes record, indexes and event, or does nothing at all. */
  submit(input: {
    job: ImageJob;
    claim?: IdempotencyClaim | undefined;
    event?: NewEvent | undefined;
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
    onEvent?: (event: NewEvent) => void,
  ): Promise<ImageJob | null>;
  /** Newest first. The work per call is bounded whatever is kept, so a page may hold fewer jobs than asked for. */
  list(tenant: string, query: JobListQuery): Promise<JobList>;
  /** Tenants that ever submitted a job. */
  tenants(): Promise<string[]>;
  countOpen(tenant: string): Promise<number>;
  /** When the oldest job in a status was created; `null` when there is none. Costs the same however many there are. */
  oldestCreatedAt(tenant: string, status: JobStatus): Promise<number | null>;
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
  /** Tells the listeners of keys. */
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
  /** Calls back when an API key was made or changed anywhere. */
  onKeyChange(listener: (id: string) => void): () => void;
}
