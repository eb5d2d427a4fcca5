import type { JobStatus } from './image-job.ts';

export * from './ports/bytes.ts';
export * from './ports/providers.ts';
export * from './ports/queue.ts';
export * from './ports/records.ts';
export * from './ports/webhooks.ts';

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
  delivery(eventAtMs: number, eventId: string, destinationKey: string): string;
  /** The mailbox of the host that a job named; those of other tenants are apart. */
  hostDestinationKey(tenant: string, url: string): string;
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
  /** Counts a stored record that was skipped because this release cannot read it. */
  recordUnreadable(kind: string): void;
}
