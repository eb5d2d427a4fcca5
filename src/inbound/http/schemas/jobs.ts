import { z } from 'zod';
import { Enhancement, EnhancementRequest } from '../../../domain/enhancement.ts';
import { billings } from '../../../domain/errors.ts';
import { jobStages, jobStatuses } from '../../../domain/image-job.ts';
import {
  enhanceModes,
  ImageRequest,
  ImageRequestBody,
  ImageRequestFields,
  PresetChoice,
  PresetSelection,
  priorities,
  RetentionRequest,
  SvgRequest,
  uncertainPolicies,
  VariationRequest,
  WebhookRequest,
} from '../../../domain/image-request.ts';
import { InputImage } from '../../../domain/input-image.ts';
import {
  AttemptView,
  ImageJobView,
  ImageView,
  InputView,
  JobErrorView,
  PreviewView,
  shownAttemptKinds,
  shownAttemptStates,
  shownInputRoles,
  shownSourceTypes,
} from '../../../domain/job-view.ts';
import { TokenTotals } from '../../../domain/token-totals.ts';
import { imageJobExample } from '../examples.ts';
import { pageOf, type SchemaGroup } from '../json-schema.ts';

/** Request of a job on the wire. It is complete, because the service resolves every default at submission. */
const AcceptedRequest = ImageRequest.describe('The request with every default filled in.');

const binary = z.string().meta({ format: 'binary' });

/** A form: files instead of inputs, and the other fields as texts. */
const ImageForm = ImageRequestFields.extend({
  image: z.array(binary).optional().describe('Images to edit, one field `image` or `image[]` for each.'),
  images: z
    .array(z.union([binary, InputImage]))
    .optional()
    .describe('The same as `image`; as JSON an input that is no file, or a list of them.'),
  mask: z.union([binary, InputImage]).optional().describe('The mask, as a file or as JSON.'),
  markup: z.union([binary, InputImage]).optional().describe('The markup, as a file or as JSON.'),
}).describe('A request as a form: files, texts, and nested fields as JSON.');

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
    eta_s: SecondsRange.nullable().describe(
      "Seconds until the end, from the tenant's jobs of the last hour with the same model, quality and number of images; `null` if there are fewer than five, and for an enhancement.",
    ),
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

const AcceptedEnhancement = EnhancementRequest.extend({
  model: z.string().describe('The language model that writes the description.'),
}).describe('The request of an enhancement with its model.');

const EnhancementPreview = z
  .object({
    object: z.literal('enhancement_preview'),
    request: AcceptedEnhancement,
    warnings: z.array(z.string()).describe('Remarks on the request.'),
    estimate: ImageEstimate,
  })
  .describe('Result of a dry run of an enhancement. Nothing is stored or queued.');

/** Schemas of jobs. */
export const jobSchemas: SchemaGroup = {
  requests: {
    ImageRequest: ImageRequestBody,
    ImageForm,
    PresetChoice,
    PresetSelection,
    WebhookDestination: WebhookRequest,
    Retention: RetentionRequest,
    InputImage,
    VariationRequest,
    EnhancementRequest,
    SvgOptions: SvgRequest,
    SvgReasoning: SvgRequest.shape.reasoning.unwrap(),
  },
  responses: {
    ImageJob,
    AcceptedRequest,
    JobPrompt: shape.prompt,
    Image: ImageView,
    PartialImage: PreviewView,
    JobError: JobErrorView,
    ProviderError: JobErrorView.shape.provider.unwrap(),
    JobInput: InputView,
    InputSource: InputView.shape.source,
    Attempt: AttemptView,
    TokenUsage: TokenTotals,
    JobCost: shape.cost,
    JobQueue: shape.queue,
    JobUrls: shape.urls,
    JobList: pageOf(ImageJob),
    SecondsRange,
    ImageEstimate,
    ImagePreview,
    Enhancement,
    AcceptedEnhancement,
    EnhancementPreview,
  },
  values: {
    JobStatus: {
      values: jobStatuses,
      description: 'Status of a job. `queued` and `running` may change; the others are final.',
    },
    JobStage: { values: jobStages, description: 'Stage of a running job.' },
    InputRole: {
      values: shownInputRoles,
      description: 'Use of an input; `other` for a role of a newer release.',
    },
    InputSourceType: {
      values: shownSourceTypes,
      description: 'Origin of an input; `other` for an origin of a newer release.',
    },
    Priority: {
      values: priorities,
      description:
        'Priority among the jobs of the tenant. Tenants are scheduled fairly at every priority. Default: `normal`.',
    },
    EnhanceMode: {
      values: enhanceModes,
      description:
        'Whether a language model first writes a detailed description: `off`, `auto` for prompts of at most 160 code points, or `always`. Default: the mode of the preset, otherwise `off`.',
    },
    UncertainPolicy: {
      values: uncertainPolicies,
      description:
        'Action if the outcome of a provider call is unknown: `retry` calls again and may pay twice, `fail` never does. Default: `ON_UNCERTAIN` of the deployment.',
    },
    AttemptKind: {
      values: shownAttemptKinds,
      description: 'Kind of a provider call; `other` for a kind of a newer release.',
    },
    AttemptState: {
      values: shownAttemptStates,
      description:
        'State of a provider call. `rejected` was not charged. `uncertain`, `unusable` and `other` (a state of a newer release) may have been charged. Every other ended attempt was charged.',
    },
    Billing: {
      values: billings,
      description: 'Known charges: `none` was spent, a charge is `possible`, or it was `charged`.',
    },
  },
  notes: {
    PresetChoice: { description: 'Name of a preset from GET /presets, optionally with its variables.' },
    PresetSelection: { description: 'A preset with values of its variables.' },
    WebhookDestination: { description: 'URL for the events of this job. Default: all events.' },
    Retention: {
      description:
        'Retention of images and record, in seconds, within the limits of the deployment. Images are not stored longer than their record.',
    },
    InputImage: {
      description:
        'An input of an edit. Exactly one of `url`, `upload_id`, `image_id` and `data` names the file.',
    },
    JobInput: {
      description:
        'An input of an edit. Width, height and digest describe the bytes that are stored and sent.',
    },
    InputSource: { description: 'Origin of an input.' },
    VariationRequest: { description: 'A variation of one image of a job.' },
    EnhancementRequest: { description: 'A prompt to enhance.' },
    Enhancement: { description: 'A prompt and the description that a language model wrote from it.' },
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
