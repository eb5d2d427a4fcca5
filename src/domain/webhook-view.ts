import { z } from 'zod';
import { type DestinationHealth, delayReasons, healthy, isBroken } from './destination-health.ts';
import { eventPatterns } from './image-request.ts';
import { knownOr } from './stored.ts';
import { type Delivery, type DeliveryAttempt, deliveryStatuses } from './webhook-delivery.ts';
import { disabledReasons, endpointChanges, liveSecrets, type WebhookEndpoint } from './webhook-endpoint.ts';
import { eventTypes } from './webhook-event.ts';

/** Wire shapes of endpoints and deliveries, built field by field. */

const time = z.iso.datetime();
/** Shown for a stored value that a newer release wrote. */
const other = 'other';

/** Types of events on the wire: those of this release, and `other` for a type that a newer release wrote. */
export const shownEventTypes = [...eventTypes, other] as const;
/** Statuses of deliveries on the wire, with `other` as for types. */
export const shownDeliveryStatuses = [...deliveryStatuses, other] as const;
export const shownDelayReasons = [...delayReasons, other] as const;
export const shownEventPatterns = [...eventPatterns, other] as const;
export const shownDisabledReasons = [...disabledReasons, other] as const;
export const shownEndpointChanges = [...endpointChanges, other] as const;
export const endpointStatuses = ['enabled', 'disabled'] as const;

export const EndpointView = z.object({
  id: z.string(),
  object: z.literal('webhook_endpoint'),
  url: z.string(),
  events: z.array(z.enum(shownEventPatterns)),
  description: z.string(),
  metadata: z.record(z.string(), z.string()),
  status: z.enum(endpointStatuses),
  disabled_reason: z.enum(shownDisabledReasons).nullable(),
  disabled_at: time.nullable(),
  created_at: time,
  updated_at: time,
  secrets: z
    .array(z.object({ expires_at: time.nullable() }))
    .describe('Signing secrets, newest first, without their text.'),
  health: z
    .object({
      consecutive_failures: z.int(),
      failing_since: time.nullable(),
      blocked_until: time
        .nullable()
        .describe('End of the cooldown of the circuit breaker. Then one delivery probes the endpoint.'),
    })
    .describe('State of the circuit breaker.'),
  history: z.array(z.object({ at: time, what: z.enum(shownEndpointChanges), detail: z.string().nullable() })),
});
export type EndpointView = z.infer<typeof EndpointView>;

export const DeliveryAttemptView = z.object({
  no: z.int(),
  started_at: time,
  url: z.string(),
  outcome: z
    .string()
    .describe(
      '`delivered`, or the reason of the failure in one word, such as `timeout` or `redirect_refused`.',
    ),
  status: z.int().nullable().describe('Status of the response; `null` if there was none.'),
  latency_ms: z.int(),
  detail: z.string().nullable().describe('The reason in a sentence.'),
  request_headers: z.record(z.string(), z.string()).describe('Request headers without the signature.'),
  response_body: z.string().nullable().describe('The first 4 kB of the response.'),
});

export const DeliveryView = z.object({
  id: z.string(),
  object: z.literal('webhook_delivery'),
  event_id: z.string().describe('Sent as `webhook-id`.'),
  type: z.enum(shownEventTypes),
  event_at: time.describe('Time of the event.'),
  image_id: z.string().nullable().describe('Id of the job; `null` for a test.'),
  endpoint_id: z.string().nullable().describe('`null` for the webhook that a job itself names.'),
  url: z.string(),
  status: z.enum(shownDeliveryStatuses),
  outcome: z.string().nullable().describe('Outcome of the last attempt, one word.'),
  created_at: time,
  finished_at: time.nullable(),
  next_attempt_at: time.nullable(),
  delayed_by: z
    .enum(shownDelayReasons)
    .nullable()
    .describe(
      'Reason why the next attempt is later than its schedule: the circuit breaker of the endpoint or of its host, or a limit of requests per minute. `null` if none delays it.',
    ),
  attempt_count: z.int(),
  attempts: z.array(DeliveryAttemptView).describe('The latest thirty attempts, oldest first.'),
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
    events: endpoint.events.map((pattern) => knownOr(eventPatterns, pattern, other)),
    description: endpoint.description,
    metadata: endpoint.metadata,
    status: disabled ? 'disabled' : 'enabled',
    disabled_reason: disabled ? knownOr(disabledReasons, disabled.reason, other) : null,
    disabled_at: isoOrNull(disabled?.at),
    created_at: iso(endpoint.createdAt),
    updated_at: iso(endpoint.updatedAt),
    secrets: liveSecrets(endpoint, nowMs).map(({ expiresAt }) => ({ expires_at: isoOrNull(expiresAt) })),
    health: {
      consecutive_failures: health.failures,
      failing_since: isoOrNull(health.failingSince),
      blocked_until: isoOrNull(isCoolingDown ? health.blockedUntil : undefined),
    },
    history: endpoint.history.map(({ at, what, detail }) => ({
      at: iso(at),
      what: knownOr(endpointChanges, what, other),
      detail: detail ?? null,
    })),
  };
}

/** @param health of the destination, if known; it may postpone the next attempt. */
export function viewDelivery(
  delivery: Delivery,
  attempts: readonly DeliveryAttempt[],
  health: DestinationHealth = healthy,
): DeliveryView {
  const { dueAt } = delivery;
  const isDelayed = dueAt !== undefined && (health.blockedUntil ?? 0) > dueAt;
  return {
    id: delivery.id,
    object: 'webhook_delivery',
    event_id: delivery.eventId,
    type: knownOr(eventTypes, delivery.type, other),
    event_at: iso(delivery.at),
    image_id: delivery.jobId ?? null,
    endpoint_id: delivery.endpointId ?? null,
    url: delivery.url,
    status: knownOr(deliveryStatuses, delivery.status, other),
    outcome: delivery.outcome ?? null,
    created_at: iso(delivery.createdAt),
    finished_at: isoOrNull(delivery.finishedAt),
    next_attempt_at: isoOrNull(dueAt && Math.max(dueAt, health.blockedUntil ?? 0)),
    delayed_by: isDelayed ? knownOr(delayReasons, health.blockedBy ?? 'circuit_breaker', other) : null,
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
