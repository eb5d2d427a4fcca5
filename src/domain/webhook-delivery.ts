import { z } from 'zod';
import type { Open } from './open.ts';
import { maxRetryAfterMs, webhookDelayMs } from './retry-schedule.ts';
import { openText, storedObject } from './stored.ts';
import type { EventType } from './webhook-event.ts';

/**
 * The delivery of one event to one destination:
 *
 *   pending -> delivered | failed           a redelivery sets both back to pending
 *
 * Every function here is pure. Times are epoch milliseconds.
 */

export const deliveryStatuses = ['pending', 'delivered', 'failed'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

/** Version of the stored shapes in this file. */
export const deliverySchema = 1;

export const Delivery = storedObject({
  /** Version of the stored shape. */
  schema: z.int(),
  id: z.string(),
  tenant: z.string(),
  /** Increased by the store with every write; the basis of compare-and-set. */
  version: z.int(),
  eventId: z.string(),
  type: openText<EventType>(),
  /** Time of the event. */
  at: z.int(),
  /** Absent for a test. */
  jobId: z.string().optional(),
  /** Absent for the webhook that a job itself names. */
  endpointId: z.string().optional(),
  /** Delivery queue: the id of an endpoint, or the key of a host named by jobs. */
  destinationKey: z.string(),
  /** URL of the last attempt, or of the first one to come. */
  url: z.string(),
  status: openText<DeliveryStatus>(),
  createdAt: z.int(),
  /** Number of all attempts. */
  attempts: z.int(),
  /** Number of attempts since `startedAt`, the last start of the schedule. */
  step: z.int(),
  startedAt: z.int(),
  /** Time of the next attempt of a pending delivery. */
  dueAt: z.int().optional(),
  finishedAt: z.int().optional(),
  /** Outcome of the last attempt, one word. */
  outcome: z.string().optional(),
});
export type Delivery = z.infer<typeof Delivery>;

/** Log entry of one attempt. */
export const DeliveryAttempt = storedObject({
  no: z.int(),
  at: z.int(),
  url: z.string(),
  /** `delivered`, or the reason of the failure in one word. */
  outcome: z.string(),
  /** Status of the response; `null` if there was none. */
  status: z.int().nullable(),
  latencyMs: z.int(),
  /** The reason in a sentence that says what to do. */
  detail: z.string().optional(),
  /** Request headers without the signature. */
  headers: z.record(z.string(), z.string()),
  /** The first 4 kB of the response body. */
  response: z.string().optional(),
});
export type DeliveryAttempt = z.infer<typeof DeliveryAttempt>;

/** Returns a new delivery, due immediately. */
export function createDelivery(
  given: Pick<Delivery, 'id' | 'tenant' | 'eventId' | 'at' | 'destinationKey' | 'url'> & {
    type: Open<EventType>;
    jobId?: string | undefined;
    endpointId?: string | undefined;
    nowMs: number;
  },
): Delivery {
  const { nowMs, jobId, endpointId, ...rest } = given;
  return {
    ...rest,
    ...(jobId ? { jobId } : {}),
    ...(endpointId ? { endpointId } : {}),
    schema: deliverySchema,
    version: 1,
    status: 'pending',
    createdAt: nowMs,
    attempts: 0,
    step: 0,
    startedAt: nowMs,
    dueAt: nowMs,
  };
}

/** Part of an attempt's result that decides about the next step. */
export interface AttemptResult {
  readonly url: string;
  readonly outcome: string;
  readonly retryAfterMs?: number | undefined;
}

/**
 * Returns a delivery after an attempt: delivered; pending until the next attempt of the schedule; or failed, if the
 * schedule is exhausted or the response was 410.
 *
 * @param options.random in [0, 1), for the jitter.
 */
export function afterAttempt(
  delivery: Delivery,
  result: AttemptResult,
  options: { nowMs: number; random: number; schedule: readonly number[] },
): Delivery {
  const { nowMs, random, schedule } = options;
  const attempted = {
    ...delivery,
    url: result.url,
    outcome: result.outcome,
    attempts: delivery.attempts + 1,
    step: delivery.step + 1,
  };
  if (result.outcome === 'delivered') return ended(attempted, 'delivered', nowMs);
  // A late update of a run that lost its lease: a delivery that has ended stays as it is.
  if (delivery.status !== 'pending') return { ...attempted, outcome: delivery.outcome ?? result.outcome };
  const delayMs =
    result.outcome === 'gone'
      ? null
      : webhookDelayMs(attempted.step, { retryAfterMs: result.retryAfterMs, random, schedule });
  if (delayMs === null) return ended(attempted, 'failed', nowMs);
  return { ...attempted, dueAt: nowMs + delayMs };
}

/** Fails a pending delivery without a further attempt. */
export function failDelivery(delivery: Delivery, outcome: string, nowMs: number): Delivery {
  return delivery.status === 'pending' ? ended({ ...delivery, outcome }, 'failed', nowMs) : delivery;
}

/** Restarts the schedule of a delivery, due immediately. */
export function restartSchedule(delivery: Delivery, nowMs: number): Delivery {
  const { finishedAt: _finishedAt, ...rest } = delivery;
  return { ...rest, status: 'pending', step: 0, startedAt: nowMs, dueAt: nowMs };
}

/** Returns the maximum duration of the schedule without `Retry-After`, in milliseconds. */
export function scheduleLengthMs(schedule: readonly number[]): number {
  return schedule.reduce((sum, seconds) => sum + seconds, 0) * 1.1 * 1000;
}

/** Returns the maximum time that a delivery can be pending, with the longest `Retry-After` each time. */
export function longestPendingMs(schedule: readonly number[]): number {
  return schedule.reduce((sum, seconds) => sum + Math.max(seconds * 1100, maxRetryAfterMs), 0);
}

function ended(delivery: Delivery, status: 'delivered' | 'failed', nowMs: number): Delivery {
  const { dueAt: _dueAt, ...rest } = delivery;
  return { ...rest, status, finishedAt: nowMs };
}
