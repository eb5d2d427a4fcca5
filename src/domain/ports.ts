import type { JobStage, JobStatus } from './image-job.ts';
import type { MoneyMeter } from './ports/money.ts';

export * from './ports/access.ts';
export * from './ports/bytes.ts';
export * from './ports/capacity.ts';
export * from './ports/estimates.ts';
export * from './ports/inputs.ts';
export * from './ports/money.ts';
export * from './ports/operations.ts';
export * from './ports/providers.ts';
export * from './ports/queue.ts';
export * from './ports/records.ts';
export * from './ports/usage.ts';
export * from './ports/webhook-endpoints.ts';
export * from './ports/webhooks.ts';

/**
 * Interfaces that the use cases require, with the guarantees of every adapter. One contract suite per port in
 * `test/contract` runs over every adapter.
 */

/** Milliseconds since the epoch. */
export type Clock = () => number;

/** Prefixed, sortable identifiers. */
export interface Ids {
  /** Returns an id for a job. It contains the time, so ids sort by creation. */
  job(nowMs: number): string;
  endpoint(nowMs: number): string;
  upload(nowMs: number): string;
  event(nowMs: number): string;
  /** Deterministic for an event and a destination, so a repeated dispatch does not deliver an event twice. */
  delivery(eventAtMs: number, eventId: string, destinationKey: string): string;
  /** Key of the delivery queue for the host of a URL. Tenants do not share it. */
  hostDestinationKey(tenant: string, url: string): string;
  /** Identifies one run of a worker. */
  run(): string;
}

/** Structured log. Fields never contain prompts, keys or links. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Counters and timers. Labels never contain ids. */
export interface Meter extends MoneyMeter {
  submitted(outcome: 'created' | 'replayed'): void;
  jobFinished(status: JobStatus, code: string): void;
  stageDone(stage: 'queued' | JobStage, seconds: number): void;
  providerCall(
    call: { readonly kind: string; readonly provider: string; readonly model: string },
    outcome: string,
    seconds: number,
  ): void;
  imageStored(contentType: string, sizeBytes: number): void;
  /** Counts a tenant that is throttled because of blocked prompts. */
  tenantThrottled(): void;
  /** Records the bill of an image as a multiple of a bound of its estimate. */
  estimateError(bound: 'low' | 'high', billByEstimate: number): void;
  /** Counts lines of the ledger that were written to the storage. */
  ledgerArchived(lines: number): void;
  webhookAttempt(outcome: string, seconds: number): void;
  /** Counts a stored record that was skipped because this release cannot read it. */
  recordUnreadable(kind: string): void;
}
