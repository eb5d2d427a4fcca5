import { z } from 'zod';
import { maxRetryAfterMs, webhookDelayMs } from './retry-schedule.ts';
import { eventTypes } from './webhook-event.ts';

/**
 * One event on its way to one receiver, and what became of it:
 *
 *   pending -> delivered | failed           both may go back to pending when somebody asks to send it again
 *
 * Every function here is pure. Times are epoch milliseconds.
 */

export const deliveryStatuses = ['pending', 'delivered', 'failed'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

export const Delivery = z.object({
  id: z.string(),
  tenant: z.string(),
  /** Raised by the store with every write; the basis of compare-and-set. */
  version: z.int(),
  eventId: z.string(),
  type: z.enum(eventTypes),
  /** When the event happened. */
  at: z.int(),
  /** Absent for a test. */
  jobId: z.string().optional(),
  /** Absent for the webhook that a job itself names. */
  endpointId: z.string().optional(),
  /** Names the mailbox it waits in: that of its endpoint, or of the host that a job named. */
  destinationKey: z.string(),
  /** Where it goes, or last went. */
  url: z.string(),
  status: z.enum(deliveryStatuses),
  createdAt: z.int(),
  /** Attempts ever made. */
  attempts: z.int(),
  /** Attempts made since the schedule was last started, which was at `startedAt`. */
  step: z.int(),
  startedAt: z.int(),
  /** When the next attempt is due, while it is pending. */
  dueAt: z.int().optional(),
  finishedAt: z.int().optional(),
  /** What the last attempt met, in one word. */
  outcome: z.string().optional(),
});
export type Delivery = z.infer<typeof Delivery>;

/** One try, as the log keeps it. */
export const DeliveryAttempt = z.object({
  no: z.int(),
  at: z.int(),
  url: z.string(),
  /** `delivered`, or the reason why not in one word. */
  outcome: z.string(),
  /** The receiver's status; `null` when there was no answer. */
  status: z.int().nullable(),
  latencyMs: z.int(),
  /** The reason in a sentence that says what to do. */
  detail: z.string().optional(),
  /** Headers that were sent, without the signature. */
  headers: z.record(z.string(), z.string()),
  /** The first 4 kB of the answer. */
  response: z.string().optional(),
});
export type DeliveryAttempt = z.infer<typeof DeliveryAttempt>;

/** A delivery that is due at once. */
export function createDelivery(
  given: Pick<Delivery, 'id' | 'tenant' | 'eventId' | 'type' | 'at' | 'destinationKey' | 'url'> & {
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
    version: 1,
    status: 'pending',
    createdAt: nowMs,
    attempts: 0,
    step: 0,
    startedAt: nowMs,
    dueAt: nowMs,
  };
}

/** What a receiver did, as far as the next step depends on it. */
export interface AttemptResult {
  readonly url: string;
  readonly outcome: string;
  readonly retryAfterMs?: number | undefined;
}

/**
 * A delivery after an attempt: done, to be tried again by the schedule, or given up where the schedule ends or the
 * receiver asked for no more (410).
 *
 * @param random in [0, 1), for the jitter.
 */
export function afterAttempt(
  delivery: Delivery,
  result: AttemptResult,
  options: { nowMs: number; random: number; schedule: readonly number[] },
): Delivery {
  const { nowMs, random, schedule } = options;
  const tried = {
    ...delivery,
    url: result.url,
    outcome: result.outcome,
    attempts: delivery.attempts + 1,
    step: delivery.step + 1,
  };
  // A late note of a run that was overtaken: what is decided stays decided, unless it arrived after all.
  if (result.outcome === 'delivered') return closed(tried, 'delivered', nowMs);
  if (delivery.status !== 'pending') return { ...tried, outcome: delivery.outcome ?? result.outcome };
  const delayMs =
    result.outcome === 'gone' ? null : webhookDelayMs(tried.step, result.retryAfterMs, random, schedule);
  if (delayMs === null) return closed(tried, 'failed', nowMs);
  return { ...tried, dueAt: nowMs + delayMs };
}

/** Ends a pending delivery without a further attempt. */
export function giveUp(delivery: Delivery, outcome: string, nowMs: number): Delivery {
  return delivery.status === 'pending' ? closed({ ...delivery, outcome }, 'failed', nowMs) : delivery;
}

/** Starts the schedule of a delivery again, at once. */
export function sendAgain(delivery: Delivery, nowMs: number): Delivery {
  const { finishedAt: _finishedAt, ...rest } = delivery;
  return { ...rest, status: 'pending', step: 0, startedAt: nowMs, dueAt: nowMs };
}

/** Longest time that the whole schedule takes when the receiver never asks for more. */
export function scheduleLengthMs(schedule: readonly number[]): number {
  return schedule.reduce((sum, seconds) => sum + seconds, 0) * 1.1 * 1000;
}

/** Longest time that a delivery can be pending, when the receiver asks for the longest wait each time. */
export function longestPendingMs(schedule: readonly number[]): number {
  return schedule.reduce((sum, seconds) => sum + Math.max(seconds * 1100, maxRetryAfterMs), 0);
}

function closed(delivery: Delivery, status: 'delivered' | 'failed', nowMs: number): Delivery {
  const { dueAt: _dueAt, ...rest } = delivery;
  return { ...rest, status, finishedAt: nowMs };
}
