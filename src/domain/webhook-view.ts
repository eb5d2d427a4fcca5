import { z } from 'zod';
import { type DestinationHealth, healthy, isBroken } from './destination-health.ts';
import { eventPatterns } from './image-request.ts';
import { type Delivery, type DeliveryAttempt, deliveryStatuses } from './webhook-delivery.ts';
import { disabledReasons, endpointMoments, liveSecrets, type WebhookEndpoint } from './webhook-endpoint.ts';
import { eventTypes } from './webhook-event.ts';

/** The shapes in which endpoints and deliveries are shown, built field by field. */

const time = z.iso.datetime();

export const EndpointView = z.object({
  id: z.string(),
  object: z.literal('webhook_endpoint'),
  url: z.string(),
  events: z.array(z.enum(eventPatterns)),
  description: z.string(),
  metadata: z.record(z.string(), z.string()),
  status: z.enum(['enabled', 'disabled']),
  disabled_reason: z
    .enum(disabledReasons)
    .nullable()
    .describe(
      '`requested`: by its owner; `gone`: the receiver answered 410; `failing`: nothing arrived for days.',
    ),
  disabled_at: time.nullable(),
  created_at: time,
  updated_at: time,
  secrets: z
    .array(z.object({ expires_at: time.nullable() }))
    .describe('The secrets that sign now, newest first, without their text.'),
  health: z
    .object({
      consecutive_failures: z.int(),
      failing_since: time.nullable(),
      resting_until: time.nullable().describe('Nothing is sent before; then one delivery tries.'),
    })
    .describe('How its receiver has been doing.'),
  history: z.array(z.object({ at: time, what: z.enum(endpointMoments), detail: z.string().nullable() })),
});
export type EndpointView = z.infer<typeof EndpointView>;

export const DeliveryAttemptView = z.object({
  no: z.int(),
  started_at: time,
  url: z.string(),
  outcome: z
    .string()
    .describe('`delivered`, or why not in one word, such as `timeout` or `redirect_refused`.'),
  status: z.int().nullable().describe('Status of the answer; `null` when there was none.'),
  latency_ms: z.int(),
  detail: z.string().nullable().describe('The reason in a sentence.'),
  request_headers: z.record(z.string(), z.string()).describe('What was sent, without the signature.'),
  response_body: z.string().nullable().describe('The first 4 kB of the answer.'),
});

export const DeliveryView = z.object({
  id: z.string(),
  object: z.literal('webhook_delivery'),
  event_id: z.string().describe('Sent as `webhook-id`.'),
  type: z.enum(eventTypes),
  event_at: time.describe('When the event happened.'),
  image_id: z.string().nullable().describe('`null` for a test.'),
  endpoint_id: z.string().nullable().describe('`null` for the webhook that a job itself names.'),
  url: z.string(),
  status: z.enum(deliveryStatuses),
  outcome: z.string().nullable().describe('What the last attempt met, in one word.'),
  created_at: time,
  finished_at: time.nullable(),
  next_attempt_at: time.nullable(),
  attempt_count: z.int(),
  attempts: z.array(DeliveryAttemptView).describe('Oldest first; only the latest thirty are kept.'),
});
export type DeliveryView = z.infer<typeof DeliveryView>;

export function viewEndpoint(
  endpoint: WebhookEndpoint,
  health: DestinationHealth,
  nowMs: number,
): EndpointView {
  const { disabled } = endpoint;
  const isCoolingDown = isBroken(health) && (health.blockedUntil ?? 0) > nowMs;
  return {
    id: endpoint.id,
    object: 'webhook_endpoint',
    url: endpoint.url,
    events: endpoint.events,
    description: endpoint.description,
    metadata: endpoint.metadata,
    status: disabled ? 'disabled' : 'enabled',
    disabled_reason: disabled?.reason ?? null,
    disabled_at: isoOrNull(disabled?.at),
    created_at: iso(endpoint.createdAt),
    updated_at: iso(endpoint.updatedAt),
    secrets: liveSecrets(endpoint, nowMs).map(({ expiresAt }) => ({ expires_at: isoOrNull(expiresAt) })),
    health: {
      consecutive_failures: health.failures,
      failing_since: isoOrNull(health.failingSince),
      resting_until: isoOrNull(isCoolingDown ? health.blockedUntil : undefined),
    },
    history: endpoint.history.map(({ at, what, detail }) => ({ at: iso(at), what, detail: detail ?? null })),
  };
}

/** @param health of its receiver, where that is known: it gets nothing while it rests. */
export function viewDelivery(
  delivery: Delivery,
  attempts: readonly DeliveryAttempt[],
  health: DestinationHealth = healthy,
): DeliveryView {
  const { dueAt } = delivery;
  return {
    id: delivery.id,
    object: 'webhook_delivery',
    event_id: delivery.eventId,
    type: delivery.type,
    event_at: iso(delivery.at),
    image_id: delivery.jobId ?? null,
    endpoint_id: delivery.endpointId ?? null,
    url: delivery.url,
    status: delivery.status,
    outcome: delivery.outcome ?? null,
    created_at: iso(delivery.createdAt),
    finished_at: isoOrNull(delivery.finishedAt),
    next_attempt_at: isoOrNull(dueAt && Math.max(dueAt, health.blockedUntil ?? 0)),
    attempt_count: delivery.attempts,
    attempts: attempts.map((attempt) => ({
      no: attempt.no,
      started_at: iso(attempt.at),
      url: attempt.url,
      outcome: attempt.outcome,
      status: attempt.status,
      latency_ms: attempt.latencyMs,
      detail: attempt.detail ?? null,
      request_headers: attempt.headers,
      response_body: attempt.response ?? null,
    })),
  };
}

const iso = (ms: number) => new Date(ms).toISOString();
const isoOrNull = (ms: number | undefined) => (ms === undefined ? null : iso(ms));
