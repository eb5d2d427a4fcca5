import { z } from 'zod';
import { type ImageJob, type JobStatus, shownStatus } from './image-job.ts';
import { type eventPatterns, type ImageRequest, imageEventTypes } from './image-request.ts';
import type { Open } from './open.ts';

/** Type of an event of a job. */
export type ImageEventType = (typeof imageEventTypes)[number];

/** Types of all webhooks. `webhook.test` is sent on request only. */
export const eventTypes = [...imageEventTypes, 'budget.threshold', 'webhook.test'] as const;
export type EventType = (typeof eventTypes)[number];

export type EventPattern = (typeof eventPatterns)[number];

/**
 * An event that is not dispatched yet. It is written in the same atomic step as the status change that it reports and
 * contains the job at that time, so that a late dispatch does not report a later status under an earlier type.
 */
export interface JobEvent {
  /** Sent as `webhook-id`: the same in every attempt and for every endpoint. */
  readonly id: string;
  readonly tenant: string;
  readonly type: Open<ImageEventType>;
  /** Time of the event, epoch milliseconds. */
  readonly at: number;
  readonly job: ImageJob;
}

/** An event of a tenant without a job that is not dispatched yet. */
export interface TenantEvent {
  readonly id: string;
  readonly tenant: string;
  readonly type: Open<EventType>;
  readonly at: number;
  readonly job?: undefined;
}

/**
 * Content of a dispatched event. The event of a job is stored without links: they are signed when it is sent, so that the
 * store never contains a valid link.
 */
export type EventContent =
  | { readonly kind: 'job'; readonly event: JobEvent }
  /** Complete body of an event without a job, such as `webhook.test`. */
  | { readonly kind: 'body'; readonly body: string };

/** Event that the store writes together with a status change. */
export interface NewEvent {
  readonly id: string;
  readonly type: ImageEventType;
  /** Whether the job's own webhook subscribes to it. If not, it is written only if an endpoint subscribes. */
  readonly wanted: boolean;
}

/** Returns the type of the event that a status change causes. */
export function eventOf(status: JobStatus): ImageEventType {
  return status === 'running' ? 'image.started' : `image.${status}`;
}

/** Returns the patterns that subscribe to an event type. */
export function patternsFor(type: Open<EventType>): string[] {
  return ['*', ...(type.startsWith('image.') ? ['image.*'] : []), type];
}

/** Returns whether a job's own webhook subscribes to an event type. Without a list it subscribes to all. */
export function wantsEvent(webhook: ImageRequest['webhook'], type: Open<ImageEventType>): boolean {
  if (!webhook) return false;
  const patterns: readonly string[] = webhook.events ?? ['*'];
  return patternsFor(type).some((pattern) => patterns.includes(pattern));
}

/**
 * Builds the event for a status change. A job enters each status at most once, so the id follows from the job and the
 * status: the same change never causes a second event.
 */
export function eventFor(job: ImageJob): NewEvent {
  const type = eventOf(shownStatus(job));
  return { id: eventIdOf(job.id, type), type, wanted: wantsEvent(job.request?.webhook, type) };
}

/** Returns the ids of all events that a job may have caused. */
export function eventIdsOf(jobId: string): string[] {
  return imageEventTypes.map((type) => eventIdOf(jobId, type));
}

/** Returns the id of the event of a job, which is sent as `webhook-id`. */
export const eventIdOf = (jobId: string, type: ImageEventType) =>
  `evt_${jobId.slice('img_'.length)}_${type.slice('image.'.length)}`;

/** Format of a Standard Webhooks secret. The signer checks the decoded length. */
export const WebhookSecret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'must be whsec_ and 24 to 64 bytes in base64');
