import type { Open } from './open.ts';

export const jobStatuses = ['queued', 'running', 'succeeded', 'failed', 'canceled', 'expired'] as const;
export type JobStatus = (typeof jobStatuses)[number];

export const jobStages = ['moderating', 'enhancing', 'generating', 'storing', 'processing'] as const;
export type JobStage = (typeof jobStages)[number];

/** One change of status or stage, one stored image or one stored preview. */
export interface Moment {
  readonly at: number;
  readonly status: Open<JobStatus>;
  readonly stage?: Open<JobStage>;
  /** Index of the image that was stored, or whose preview was; absent for a change of status or stage. */
  readonly image?: number;
  /** Number of the preview that was stored; absent for every other moment. */
  readonly partial?: number;
}

/** A wait of a running job. */
export interface Blocked {
  readonly sinceMs: number;
  /** When the next run tries again. */
  readonly untilMs: number;
  /** The circuit breaker scope; absent if the job waits for another release. */
  readonly scope?: string;
  /** Error code of the block. */
  readonly code?: string;
}
