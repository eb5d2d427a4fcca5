import { z } from 'zod';
import { billings, errorCodes } from '../../domain/errors.ts';
import { jobStages, jobStatuses, TokenTotals } from '../../domain/image-job.ts';
import {
  eventPatterns,
  ImageRequest,
  ImageRequestBody,
  imageEventTypes,
  PresetChoice,
  RetentionRequest,
  WebhookRequest,
} from '../../domain/image-request.ts';
import { AttemptView, ImageJobView, ImageView, JobErrorView } from '../../domain/job-view.ts';
import { CatalogueModel } from '../../domain/model-catalogue.ts';
import { deliveryStatuses } from '../../domain/webhook-delivery.ts';
import { EndpointBody, EndpointPatch } from '../../domain/webhook-endpoint.ts';
import { eventTypes, WebhookSecret } from '../../domain/webhook-event.ts';
import { DeliveryAttemptView, DeliveryView, EndpointView } from '../../domain/webhook-view.ts';
import { imageJobExample, problemExample } from './examples.ts';
import { type JsonSchema, namedJsonSchemas } from './json-schema.ts';
import { GenerationBody } from './openai-v1/generation-body.ts';

/**
 * The schemas of the wire. zod is the source; what the server validates with and what the OpenAPI document shows is
 * the JSON Schema made from it.
 */

const ErrorCode = z.enum(errorCodes);

const FieldIssue = z.object({
  pointer: z
    .string()
    .describe('JSON Pointer into the body; `/query/NAME`, `/params/NAME` or `/headers/NAME` elsewhere.'),
  detail: z.string().describe('What is wrong with it.'),
});

const Problem = z
  .object({
    type: z.string().describe('`urn:darkroom:problem:` and the code.'),
    title: z.string().describe('What the code means; the same for every occurrence.'),
    status: z.int(),
    detail: z.string().describe('What happened here and what to do.'),
    instance: z.string().describe('Path of the request.'),
    code: ErrorCode,
    retryable: z.boolean().describe('Whether the same request may succeed later without a change.'),
    request_id: z.string(),
    errors: z.array(FieldIssue).describe('Every faulty place of the request; empty for other errors.'),
    error: z
      .object({ message: z.string(), type: z.string(), code: ErrorCode, param: z.string().nullable() })
      .describe("The same in the form of OpenAI's API, for its clients."),
  })
  .describe('An error (RFC 9457).');

/** The request as a job shows it. A job that is shown always has it, with every default filled in. */
const AcceptedRequest = ImageRequest.describe('What was ordered, with every default filled in.');

const ImageJob = ImageJobView.extend({ request: AcceptedRequest }).describe(
  'An order and what became of it: the same shape in polls, lists, event streams and webhooks.',
);

const ImagePreview = z
  .object({
    request: AcceptedRequest,
    warnings: z.array(z.string()),
    estimate: z.object({
      cost_micro_usd: z.int().nullable().describe('`null` where it is not known.'),
      eta_s: z.number().nullable(),
      queue_depth: z.int().describe('Tasks that wait before it.'),
    }),
  })
  .describe('What an order would be, and would probably cost. Nothing is stored or queued.');

const Model = CatalogueModel.extend({ object: z.literal('model') });

const PresetVariable = z.object({
  description: z.string(),
  default: z.string().nullable().describe('`null` where the variable has to be given.'),
  one_of: z.array(z.string()).nullable().describe('The only values allowed.'),
  max_length: z.int().nullable().describe('Longest value in code points.'),
});

const Preset = z.object({
  object: z.literal('preset'),
  name: z.string(),
  description: z.string(),
  template: z.string().describe('What the prompt and the variables are set into.'),
  variables: z.record(z.string(), PresetVariable),
  defaults: z
    .record(z.string(), z.unknown())
    .describe('Parameters of the order, where the caller gives none.'),
});

const listOf = (item: z.ZodType) => z.object({ object: z.literal('list'), data: z.array(item) });

const Health = z.object({
  status: z.enum(['ok', 'unavailable']),
  checks: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().nullable() })),
});

const ImageEvent = z
  .object({
    id: z.string().describe('Id of the job.'),
    type: z.string().describe('`image.progress`, or the event of a new status.'),
    status: z.enum(jobStatuses),
    stage: z.enum(jobStages).nullable(),
    at: z.iso.datetime(),
    image: ImageView.optional().describe('The image that was stored, where the event is that.'),
    job: ImageJob.optional().describe('The job; with the last event only.'),
  })
  .describe('The `data` of one server-sent event.');

const WebhookEvent = z.object({
  type: z.enum(imageEventTypes),
  timestamp: z.iso.datetime().describe('When the event happened.'),
  data: ImageJob,
  truncated: z
    .literal(true)
    .optional()
    .describe(
      'Only where texts of `data` were cut to keep the body small; all of the job is at `data.urls.self`.',
    ),
});

const WebhookTestEvent = z.object({
  type: z.literal('webhook.test'),
  timestamp: z.iso.datetime(),
  data: z.object({ object: z.literal('webhook_test'), endpoint_id: z.string() }),
});

const NewWebhookEndpoint = EndpointView.extend({
  secret: z.string().describe('Signs deliveries from now on. It is not shown again.'),
}).describe('An endpoint with the secret that was just made for it.');

const SecretRotation = z.strictObject({
  secret: WebhookSecret.optional().describe('A secret of your own; one is made where it is absent.'),
});

const WebhookRecovery = z.strictObject({
  since: z.iso.datetime({ offset: true }).describe('Events that happened at this time or later.'),
});

const WebhookRecoveryResult = z.object({
  object: z.literal('webhook_recovery'),
  endpoint_id: z.string(),
  since: z.iso.datetime(),
  deliveries: z.int().describe('How many are sent again.'),
});

const TenantWebhookSecret = z.object({ object: z.literal('webhook_secret'), secret: z.string() });

const pageOf = (item: z.ZodType) =>
  z.object({
    object: z.literal('list'),
    data: z.array(item),
    has_more: z.boolean(),
    next_cursor: z.string().nullable().describe('Send it as `cursor` for the next page.'),
  });

/** Named schemas of the OpenAPI document. */
export const components: Record<string, JsonSchema> = namedJsonSchemas({
  requests: {
    ImageRequest: ImageRequestBody,
    OpenAiGenerationRequest: GenerationBody,
    PresetChoice,
    WebhookDestination: WebhookRequest,
    Retention: RetentionRequest,
    WebhookEndpointRequest: EndpointBody,
    WebhookEndpointPatch: EndpointPatch,
    SecretRotation,
    WebhookRecovery,
  },
  responses: {
    ImageJob,
    AcceptedRequest,
    Image: ImageView,
    JobError: JobErrorView,
    Attempt: AttemptView,
    TokenUsage: TokenTotals,
    JobList: pageOf(ImageJob),
    ImagePreview,
    ImageEvent,
    WebhookEvent,
    WebhookTestEvent,
    WebhookEndpoint: EndpointView,
    NewWebhookEndpoint,
    WebhookEndpointList: pageOf(EndpointView),
    WebhookAttempt: DeliveryAttemptView,
    WebhookDelivery: DeliveryView,
    WebhookDeliveryList: pageOf(DeliveryView),
    WebhookRecoveryResult,
    TenantWebhookSecret,
    Model,
    ModelList: listOf(Model),
    PresetVariable,
    Preset,
    PresetList: listOf(Preset),
    Health,
    FieldIssue,
    Problem,
  },
  values: {
    JobStatus: {
      values: jobStatuses,
      description: '`queued` and `running` go on; the others are final.',
    },
    JobStage: { values: jobStages, description: 'What a running job is doing.' },
    Billing: {
      values: billings,
      description: 'What is known about money: nothing was spent, it may have been, or it was.',
    },
    ImageEventType: { values: imageEventTypes, description: 'What happened to a job.' },
    WebhookEventType: { values: eventTypes, description: 'What a webhook tells of.' },
    WebhookEventPattern: {
      values: eventPatterns,
      description: 'What an endpoint can ask for: single types, all of jobs, or everything.',
    },
    DeliveryStatus: {
      values: deliveryStatuses,
      description: '`pending` goes on; `failed` was given up and can be sent again.',
    },
    ErrorCode: {
      values: errorCodes,
      description: 'Stable; new ones may be added. `docs/errors.md` of the source tells of each.',
    },
  },
  notes: {
    PresetChoice: { description: 'A named template from GET /presets, with its variables.' },
    WebhookDestination: { description: 'Where to send events of this job, and which; all by default.' },
    Retention: {
      description:
        'How long to keep images and record, within what is allowed, and images no longer than their record.',
    },
    ImageJob: { examples: [imageJobExample] },
    Problem: { examples: [problemExample] },
  },
});
