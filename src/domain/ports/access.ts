import type { PolicyName } from '../access-policy.ts';
import type { ApiKeyRecord } from '../api-key.ts';
import type { AuditEntry } from '../audit.ts';
import type { Quota } from '../quota.ts';
import type { TenantRecord } from '../tenant.ts';
import type { IdempotencyClaim } from './records.ts';

/** The stores of keys and tenants, and notice of their changes. */

/** A new state of a record, and the entry of the change in the audit log of its tenant. */
export interface AuditedChange<Record> {
  readonly record: Record;
  readonly audit: AuditEntry;
}

export type KeyCreation =
  | { readonly kind: 'created' }
  | { readonly kind: 'replayed'; readonly record: ApiKeyRecord }
  /** The idempotency key was used for another request. */
  | { readonly kind: 'key_reused' }
  /** The tenant has as many keys as allowed. */
  | { readonly kind: 'full'; readonly maxKeys: number };

export interface ApiKeys {
  /** `null` if there is no such key. */
  get(id: string): Promise<ApiKeyRecord | null>;
  /** Claims the idempotency key if there is one, and writes key and audit entry. Atomic: does all of it or nothing. */
  create(change: AuditedChange<ApiKeyRecord>, claim?: IdempotencyClaim): Promise<KeyCreation>;
  /**
   * Compare-and-set: reads the key, applies `change`, and writes key and audit entry if the version is unchanged. Otherwise
   * starts over with the newer key. `change` must be pure; `null` leaves the key unchanged, and an error is passed on with
   * nothing written. Every process learns of the key, also if it is unchanged.
   *
   * @returns the current key; `null` if there is none.
   */
  update(
    id: string,
    change: (record: ApiKeyRecord) => AuditedChange<ApiKeyRecord> | null,
  ): Promise<ApiKeyRecord | null>;
  /** Lists keys of one tenant or of all tenants, newest first. Skips and reports records that it cannot read. */
  list(query: {
    readonly tenant?: string | undefined;
    readonly limit: number;
    /** Position from an earlier page. */
    readonly before?: string | undefined;
  }): Promise<{ readonly keys: readonly ApiKeyRecord[]; readonly next: string | null }>;
}

/** Names a key; a whole record does so too. */
export type KeyName = Pick<ApiKeyRecord, 'tenant' | 'id'>;

/** Times of the last use of keys. */
export interface KeyUse {
  record(uses: readonly (KeyName & { readonly at: number })[]): Promise<void>;
  /** Returns the time for each key; `null` if it was never used. */
  read(keys: readonly KeyName[]): Promise<(number | null)[]>;
}

export interface Tenants {
  /** `null` if the tenant has no rules of its own. */
  get(name: string): Promise<TenantRecord | null>;
  /**
   * Compare-and-set like that of keys. `change` receives `null` if there is no record yet.
   *
   * @returns the current record; `null` if there is none, because `change` left the tenant unchanged.
   */
  update(
    name: string,
    change: (record: TenantRecord | null) => AuditedChange<TenantRecord> | null,
  ): Promise<TenantRecord | null>;
  /** Returns every tenant with a record. Skips and reports records that it cannot read. */
  list(): Promise<TenantRecord[]>;
}

/** The log of changed keys and tenants. Every change is written to it before its author gets a response. */
export interface PolicyChanges {
  /**
   * Returns the changes after a position, at the cost of one short read.
   *
   * @param after `null` returns the current position without changes.
   * @returns `changes` is `null` if the log no longer has all of them.
   */
  read(
    after: string | null,
  ): Promise<{ readonly position: string; readonly changes: readonly PolicyName[] | null }>;
}

export interface AuditQuery {
  readonly nowMs: number;
  /** Inclusive. */
  readonly fromMs?: number | undefined;
  /** Exclusive. */
  readonly toMs?: number | undefined;
  readonly limit: number;
  /** Position from an earlier page. */
  readonly before?: string | undefined;
}

export interface StoredAuditEntry {
  readonly position: string;
  readonly entry: AuditEntry;
}

/** The audit logs of tenants. They are append-only, and bounded by age and length. */
export interface AuditLog {
  /** Appends the entry of a change that has no store of its own. */
  append(tenant: string, entry: AuditEntry): Promise<void>;
  /** Appends the entry of an erasure. The stores of keys and tenants append the entries of their changes themselves. */
  appendErasure(tenant: string, entry: AuditEntry): Promise<void>;
  /** Lists entries, newest first. Skips and reports entries that it cannot read. */
  list(
    tenant: string,
    query: AuditQuery,
  ): Promise<{ readonly entries: readonly StoredAuditEntry[]; readonly next: string | null }>;
}

/** Limits of requests per minute. */
export interface RequestLimits {
  /**
   * Counts a request of a caller against each limit, or against none if one is exhausted. Atomic across processes.
   *
   * @throws AppError `store_unavailable`
   */
  take(
    caller: { readonly tenant: string; readonly keyId: string },
    limits: readonly Pick<Quota, 'owner' | 'limit'>[],
  ): Promise<{
    readonly quotas: readonly Quota[];
    /** The exhausted limit, and the time until the next request passes. Absent if this request passes. */
    readonly refused?: { readonly quota: Quota; readonly waitMs: number };
  }>;
}
