import { z } from 'zod';
import { type ImageJob, type JobStatus, shownStatus } from './image-job.ts';
import { type eventPatterns, type ImageRequest, imageEventTypes } from './image-request.ts';

/** What happens to a job. */
export type ImageEventType = (typeof imageEventTypes)[number];

/** All that a webhook tells of; `webhook.test` is sent on request only. */
export const eventTypes = [...imageEventTypes, 'webhook.test'] as const;
export type EventType = (typeof eventTypes)[number];

export type EventPattern = (typeof eventPatterns)[number];

/**
 * One event that is not announced yet. It is written in the same atomic step as the state it tells of, with the job as
 * it was then, so that a late delivery does not tell of a later state under an earlier name.
 */
export interface JobEvent {
  /** Sent as `webhook-id`: the same in every attempt and for every endpoint. */
  readonly id: string;
  readonly tenant: string;
  readonly type: ImageEventType;
  /** When it happened, epoch milliseconds. */
  readonly at: number;
  readonly job: ImageJob;
}

/** What the store is asked to write with a change of status. */
export interface NewEvent {
  readonly id: string;
  readonly type: ImageEventType;
  /** Whether the job's own webhook wants it; without that it is written only where an endpoint has asked for it. */
  readonly wanted: boolean;
}

/** The event that a change of status causes. */
export function eventOf(status: JobStatus): ImageEventType {
  return status === 'running' ? 'image.started' : `image.${status}`;
}

/** The patterns that ask for an event. */
export function patternsFor(type: ImageEventType): EventPattern[] {
  return ['*', 'image.*', type];
}

/** Whether a job's own webhook asked for an event; without a list it wants all. */
export function wantsEvent(webhook: ImageRequest['webhook'], type: ImageEventType): boolean {
  if (!webhook) return false;
  const patterns: readonly string[] = webhook.events ?? ['*'];
  return patternsFor(type).some((pattern) => patterns.includes(pattern));
}

/**
 * The event that a job's new status is. A job has each status at most once, so the id follows from the job and the
 * status: the same change can never make a second event.
 */
export function eventFor(job: ImageJob): NewEvent {
  const type = eventOf(shownStatus(job));
  return { id: eventIdOf(job.id, type), type, wanted: wantsEvent(job.request?.webhook, type) };
}

/** Ids of every event that a job may have caused. */
export function eventIdsOf(jobId: string): string[] {
  return imageEventTypes.map((type) => eventIdOf(jobId, type));
}

const eventIdOf = (jobId: string, type: ImageEventType) =>
  `evt_${jobId.slice('img_'.length)}_${type.slice('image.'.length)}`;

/** A secret of Standard Webhooks in its outer form; the signer checks the rest. */
export const WebhookSecret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'must be whsec_ and 24 to 64 bytes in base64');
