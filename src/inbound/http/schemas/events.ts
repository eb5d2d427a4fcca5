import { z } from 'zod';
import { jobStages, jobStatuses } from '../../../domain/image-job.ts';
import { imageEventTypes } from '../../../domain/image-request.ts';
import { ImageView, PreviewView } from '../../../domain/job-view.ts';
import { eventTypes } from '../../../domain/webhook-event.ts';
import { shownEventTypes } from '../../../domain/webhook-view.ts';
import { type SchemaGroup, unionOf } from '../json-schema.ts';
import { ImageJob } from './jobs.ts';
import { BudgetFigures } from './problem.ts';

/** Types of the events in streams: every status of a job, and the steps between them. */
const streamEventTypes = ['image.progress', 'image.partial', ...imageEventTypes] as const;
type StreamEventType = (typeof streamEventTypes)[number];
const terminalTypes: readonly string[] = [
  'image.succeeded',
  'image.failed',
  'image.canceled',
  'image.expired',
];

const event = {
  id: z.string().describe('Id of the job.'),
  status: z.enum(jobStatuses),
  stage: z.enum(jobStages).nullable(),
  at: z.iso.datetime().describe('Time of the event.'),
};

/** Returns the schema of the `data` of a server-sent event, by type. */
function streamEvent(type: StreamEventType) {
  const base = z.object({ type: z.literal(type), ...event });
  if (type === 'image.progress') {
    return base.extend({ image: ImageView.optional().describe('The image that was stored in this step.') });
  }
  if (type === 'image.partial') {
    return base.extend({
      partial_image: PreviewView.optional().describe('The preview; absent an hour after the end of the job.'),
    });
  }
  return terminalTypes.includes(type) ? base.extend({ job: ImageJob }) : base;
}

/** Returns the schema of the body of a webhook, by type. */
const webhookEvent = (type: (typeof imageEventTypes)[number]) =>
  z.object({
    type: z.literal(type),
    timestamp: z.iso.datetime().describe('Time of the event.'),
    data: ImageJob,
    truncated: z
      .literal(true)
      .optional()
      .describe('Present if texts of `data` were shortened. The complete job is at `data.urls.self`.'),
  });

const WebhookTestData = z.object({ object: z.literal('webhook_test'), endpoint_id: z.string() });

const WebhookTestEvent = z.object({
  type: z.literal('webhook.test'),
  timestamp: z.iso.datetime().describe('Time of the event.'),
  data: WebhookTestData,
});

const BudgetThresholdData = z.object({
  key_id: z.string().optional().describe('Key that owns the budget. Absent for a budget of the tenant.'),
  tenant: z.string().optional().describe('Tenant that owns the budget. Absent for a budget of a key.'),
  budget: BudgetFigures,
  threshold_percent: z.int().describe('Share of the limit that is spent or held: 50, 80 or 100.'),
});

const BudgetThresholdWebhook = z
  .object({
    type: z.literal('budget.threshold'),
    timestamp: z.iso.datetime().describe('Time of the event.'),
    data: BudgetThresholdData,
  })
  .describe('Sent once for each share and window. 100 is also reported when a request is refused.');

/** Returns the schema name of an event type: `image.succeeded` becomes `ImageSucceeded`. */
export const eventName = (type: string) =>
  type.replace(/(?:^|\.)([a-z])/g, (_match, letter: string) => letter.toUpperCase());

const streamName = (type: string) => `${eventName(type)}Event`;
export const webhookName = (type: string) =>
  type === 'webhook.test' ? 'WebhookTestEvent' : `${eventName(type)}Webhook`;

const named = <Type extends string>(
  types: readonly Type[],
  nameOf: (type: Type) => string,
  schemaOf: (type: Type) => z.ZodType,
) => Object.fromEntries(types.map((type) => [nameOf(type), schemaOf(type)]));

/** Schemas of events in streams and webhooks, one for each type. */
export const eventSchemas: SchemaGroup = {
  responses: {
    ...named(streamEventTypes, streamName, streamEvent),
    ...named(imageEventTypes, webhookName, webhookEvent),
    BudgetThresholdData,
    BudgetThresholdWebhook,
    WebhookTestData,
    WebhookTestEvent,
  },
  unions: {
    ImageEvent: unionOf(
      'type',
      streamEventTypes.map((type) => [type, streamName(type)]),
      'The `data` of one server-sent event.',
    ),
    WebhookEvent: unionOf(
      'type',
      eventTypes.map((type) => [type, webhookName(type)]),
      'The body of one webhook.',
    ),
  },
  values: {
    WebhookEventType: { values: shownEventTypes, description: 'Type of a webhook.' },
  },
};
