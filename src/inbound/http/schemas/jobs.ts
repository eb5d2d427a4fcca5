import { z } from 'zod';
import { billings } from '../../../domain/errors.ts';
import { jobStages, jobStatuses, TokenTotals } from '../../../domain/image-job.ts';
import {
  ImageRequest,
  ImageRequestBody,
  PresetChoice,
  RetentionRequest,
  SvgRequest,
  WebhookRequest,
} from '../../../domain/image-request.ts';
import { AttemptView, ImageJobView, ImageView, JobErrorView } from '../../../domain/job-view.ts';
import { imageJobExample } from '../examples.ts';
import { pageOf, type SchemaGroup } from '../json-schema.ts';

/** Request of a job on the wire. It is complete, because the service resolves every default at submission. */
const AcceptedRequest = ImageRequest.describe('The request with every default filled in.');

/** Job on the wire. */
export const ImageJob = ImageJobView.extend({ request: AcceptedRequest }).describe(
  'A job: the same shape in polls, lists, event streams and webhooks.',
);

const { shape } = ImageJobView;

const SecondsRange = z
  .object({ p50: z.number(), p90: z.number() })
  .describe('Seconds that half and nine tenths of such jobs take.');

const ImageEstimate = z
  .object({
    low_micro_usd: z.int().nullable().describe('Lower bound of the cost in micro-USD; `null` if unknown.'),
    high_micro_usd: z
      .int()
      .nullable()
      .describe(
        'Upper bound for one attempt of each image, in micro-USD; `null` if unknown. If quality or size are left to the model, it covers the dearest choice. `max_cost_micro_usd` compares with it.',
      ),
    eta_s: SecondsRange.nullable().describe('Estimated seconds until the end; `null` if unknown.'),
    queue_depth: z.int().describe('Number of tasks that wait in the queue.'),
  })
  .describe('Estimate of a request.');

const ImagePreview = z
  .object({
    object: z.literal('image_preview'),
    request: AcceptedRequest,
    warnings: z.array(z.string()).describe('Remarks on the request.'),
    estimate: ImageEstimate,
  })
  .describe('Result of a dry run. Nothing is stored or queued.');

/** Schemas of jobs. */
export const jobSchemas: SchemaGroup = {
  requests: {
    ImageRequest: ImageRequestBody,
    PresetChoice,
    WebhookDestination: WebhookRequest,
    Retention: RetentionRequest,
    SvgOptions: SvgRequest,
    SvgReasoning: SvgRequest.shape.reasoning.unwrap(),
  },
  responses: {
    ImageJob,
    AcceptedRequest,
    JobPrompt: shape.prompt,
    Image: ImageView,
    JobError: JobErrorView,
    ProviderError: JobErrorView.shape.provider.unwrap(),
    Attempt: AttemptView,
    TokenUsage: TokenTotals,
    JobCost: shape.cost,
    JobQueue: shape.queue,
    JobUrls: shape.urls,
    JobList: pageOf(ImageJob),
    SecondsRange,
    ImageEstimate,
    ImagePreview,
  },
  values: {
    JobStatus: {
      values: jobStatuses,
      description: 'Status of a job. `queued` and `running` may change; the others are final.',
    },
    JobStage: { values: jobStages, description: 'Stage of a running job.' },
    Billing: {
      values: billings,
      description: 'Known charges: `none` was spent, a charge is `possible`, or it was `charged`.',
    },
  },
  notes: {
    PresetChoice: { description: 'Name of a preset from GET /presets, optionally with its variables.' },
    WebhookDestination: { description: 'URL for the events of this job. Default: all events.' },
    Retention: {
      description:
        'Retention of images and record, in seconds, within the limits of the deployment. Images are not stored longer than their record.',
    },
    SvgOptions: { description: 'How the drawing is written.' },
    SvgReasoning: { description: 'Reasoning of the text model.' },
    JobPrompt: { description: 'Versions of the prompt.' },
    ProviderError: { description: 'Error of the provider.' },
    JobCost: { description: 'Cost of a job.' },
    JobQueue: { description: 'Position of a job in the queue.' },
    JobUrls: { description: 'Links to the resources of a job.' },
    ImageJob: { examples: [imageJobExample] },
  },
};
