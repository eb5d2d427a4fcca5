import { z } from 'zod';
import { eventPatterns, jobEventPatterns } from '../../../domain/image-request.ts';
import { EndpointBody, EndpointPatch, SecretRotation } from '../../../domain/webhook-endpoint.ts';
import {
  DeliveryAttemptView,
  DeliveryView,
  EndpointView,
  endpointStatuses,
  shownDelayReasons,
  shownDeliveryStatuses,
  shownDisabledReasons,
  shownEndpointChanges,
  shownEventPatterns,
} from '../../../domain/webhook-view.ts';
import { pageOf, type SchemaGroup } from '../json-schema.ts';

const NewWebhookEndpoint = EndpointView.extend({
  secret: z.string().describe('Secret that signs deliveries. Only this response contains it.'),
}).describe('An endpoint with its new secret.');

const WebhookRecovery = z.strictObject({
  since: z.iso.datetime({ offset: true }).describe('Earliest time of the events to send again.'),
});

const WebhookRecoveryResult = z.object({
  object: z.literal('webhook_recovery'),
  endpoint_id: z.string(),
  since: z.iso.datetime(),
  deliveries: z.int().describe('Number of deliveries that are sent again.'),
});

const TenantWebhookSecret = z.object({ object: z.literal('webhook_secret'), secret: z.string() });

const { shape } = EndpointView;

/** Schemas of endpoints and deliveries. */
export const webhookSchemas: SchemaGroup = {
  requests: {
    WebhookEndpointRequest: EndpointBody,
    WebhookEndpointPatch: EndpointPatch,
    SecretRotation,
    WebhookRecovery,
  },
  responses: {
    WebhookEndpoint: EndpointView,
    WebhookEndpointSecret: shape.secrets.element,
    WebhookEndpointHealth: shape.health,
    WebhookEndpointMoment: shape.history.element,
    NewWebhookEndpoint,
    WebhookEndpointList: pageOf(EndpointView),
    WebhookAttempt: DeliveryAttemptView,
    WebhookDelivery: DeliveryView,
    WebhookDeliveryList: pageOf(DeliveryView),
    WebhookRecoveryResult,
    TenantWebhookSecret,
  },
  values: {
    JobEventPattern: {
      values: jobEventPatterns,
      description: 'Subscription of the webhook of a job: one type, or all events of the job.',
    },
    WebhookEventPattern: {
      values: eventPatterns,
      description: 'Subscription of an endpoint: one type, all events of jobs, or all events.',
    },
    WebhookSubscription: {
      values: shownEventPatterns,
      description: 'A subscription as stored; `other` for a type of a newer release.',
    },
    WebhookEndpointStatus: {
      values: endpointStatuses,
      description: 'Whether an endpoint receives deliveries.',
    },
    DisabledReason: {
      values: shownDisabledReasons,
      description:
        'Reason why an endpoint is disabled. `requested`: by its owner. `gone`: it responded 410. `failing`: every attempt failed for days.',
    },
    WebhookEndpointChange: {
      values: shownEndpointChanges,
      description: 'Kind of a change; `other` for a kind of a newer release.',
    },
    DeliveryDelay: {
      values: shownDelayReasons,
      description:
        'Reason why a delivery waits longer than its schedule says. `circuit_breaker`: its endpoint keeps failing. `host_unreachable`: no endpoint at its host can be reached. `host_limit`, `tenant_limit`: the requests of the last minute reached a limit.',
    },
    DeliveryStatus: {
      values: shownDeliveryStatuses,
      description:
        'Status of a delivery. `pending` has another attempt. `failed` has none and can be sent again.',
    },
  },
  notes: {
    WebhookEndpointSecret: { description: 'A secret that signs now, without its text.' },
    WebhookEndpointHealth: { description: 'Recent results of an endpoint.' },
    WebhookEndpointMoment: { description: 'A change of an endpoint.' },
  },
};
