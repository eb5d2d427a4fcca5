import type { ImageJob } from '../../domain/image-job.ts';
import type { Keys } from './keys.ts';

/** Sorted set that contains a job's id while the job has this entry. */
export interface IndexEntry {
  readonly key: string;
  readonly score: number | '+inf';
  /**
   * Set for an index from which members are removed when they are processed. The job joins again if the mark changes, and
   * not if only the score does.
   */
  readonly mark?: string;
}

/** Integer that a job contributes to a field of a hash. The field consists of word characters, dots and hyphens. */
export interface CounterEntry {
  readonly key: string;
  readonly field: string;
  readonly amount: number;
  /** Set for a hash that is deleted when its retention ends. A later change of what it counted does not create it again. */
  readonly isPurged?: true;
}

/** All entries that a record's current state adds to indexes and counters. */
export interface Projection {
  readonly indexes: readonly IndexEntry[];
  readonly counters: readonly CounterEntry[];
}

/**
 * Derives index and counter entries from a record. All keys must have the tenant's hash tag. The function must be pure,
 * because updates compare the entries of the record before and after the change.
 */
export type ProjectJob = (keys: Keys, job: ImageJob) => Projection;
