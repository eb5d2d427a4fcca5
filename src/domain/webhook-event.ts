import { z } from 'zod';
import { ImageJob } from './image-job.ts';
import { type ImageRequest, imageEventTypes } from './image-request.ts';

/** What a webhook tells of. */
export type ImageEventType = (typeof imageEventTypes)[number];

/**
 * One event on its way to one address. The row is written in the same atomic step as the state it tells of, with the
 * job as it was then, so that a late delivery does not tell of a later state under an earlier name. Before the first
 * attempt the job is replaced by the exact bytes to send, so that every attempt carries the same ones.
 */
export const Delivery = z.object({
  id: z.string(),
  tenant: z.string(),
  jobId: z.string(),
  /** Sent as `webhook-id`: one per event, the same in every attempt. */
  eventId: z.string(),
  type: z.enum(imageEventTypes),
  /** When the event happened, epoch milliseconds. */
  at: z.int(),
  url: z.string(),
  job: ImageJob.optional(),
  body: z.string().optional(),
  /** Attempts made so far. */
  attempts: z.int(),
});
export type Delivery = z.infer<typeof Delivery>;

/** The event that a change of status causes. */
export function eventOf(status: ImageJob['status']): ImageEventType {
  return status === 'running' ? 'image.started' : `image.${status}`;
}

/** Whether a job's webhook asked for an event; without a list it wants all. */
export function wantsEvent(webhook: ImageRequest['webhook'], type: ImageEventType): boolean {
  if (!webhook) return false;
  const events = webhook.events ?? ['image.*'];
  return events.includes('image.*') || events.includes(type);
}

/**
 * The deliveries that a job's new status causes. A job has each status at most once, so the ids follow from the job
 * and the status: the same change can never make a second event.
 */
export function deliveriesFor(job: ImageJob): Delivery[] {
  const type = eventOf(job.status);
  const webhook = job.request?.webhook;
  if (!webhook || !wantsEvent(webhook, type)) return [];
  return [
    {
      id: deliveryId(job.id, type),
      tenant: job.tenant,
      jobId: job.id,
      eventId: `evt_${eventName(job.id, type)}`,
      type,
      at: job.updatedAt,
      url: webhook.url,
      job,
      attempts: 0,
    },
  ];
}

/** Ids of every delivery a job may have caused. */
export function deliveryIdsOf(jobId: string): string[] {
  return imageEventTypes.map((type) => deliveryId(jobId, type));
}

const deliveryId = (jobId: string, type: ImageEventType) => `dlv_${eventName(jobId, type)}`;
const eventName = (jobId: string, type: ImageEventType) =>
  `${jobId.slice('img_'.length)}_${type.slice('image.'.length)}`;
