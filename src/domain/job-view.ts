import { z } from 'zod';
import { attemptKinds, attemptStates } from './attempt.ts';
import { billings, errorCodes } from './errors.ts';
import { jobStages, jobStatuses } from './image-job.ts';
import { ImageRequestFields } from './image-request.ts';
import { inputRoles, inputSourceTypes } from './input-image.ts';
import { TokenTotals } from './token-totals.ts';

/** The representation of a job in polls, lists, streams and webhooks. */

const time = z.iso.datetime();
const nullableTime = time.nullable();
/** Shown for a kind or state of a newer release. */
export const other = 'other';
export const shownAttemptKinds = [...attemptKinds, other] as const;
export const shownAttemptStates = [...attemptStates, other] as const;

export const JobErrorView = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  stage: z.enum(jobStages).nullable(),
  retryable: z.boolean().describe('Whether the same request may succeed later.'),
  billing: z.enum(billings),
  index: z.int().nullable().describe('Index of the image that failed; `null` if the error concerns the job.'),
  provider: z
    .object({
      status: z.int().nullable(),
      code: z.string().nullable(),
      request_id: z.string().nullable(),
      categories: z.array(z.string()),
    })
    .nullable()
    .describe('Error of the provider, if the provider caused the failure.'),
});

export const ImageView = z.object({
  index: z.int().describe('From 0 to `n` - 1.'),
  url: z.string().describe('Link to the bytes that works without a key until `url_expires_at`.'),
  url_expires_at: time,
  content_url: z
    .string()
    .describe('Path of the bytes at this service. Needs the key and works as long as the image exists.'),
  content_type: z.string(),
  width: z.int(),
  height: z.int(),
  size_bytes: z.int(),
  sha256: z.string().describe('Digest of the bytes, in hexadecimal.'),
  thumbhash: z
    .string()
    .nullable()
    .describe(
      'Placeholder of the image as ThumbHash in base64. `null` until a worker has made it, soon after the end of the job.',
    ),
  thumbnail_url: z
    .string()
    .nullable()
    .describe(
      'Link to a WebP of at most 512 pixels an edge, as `url`. `null` until a worker has made it, and for svg.',
    ),
  variants: z.record(z.string(), z.unknown()).describe('Derived renditions by name.'),
});

export const PreviewView = z
  .object({
    index: z.int().describe('Index of the image.'),
    partial_image_index: z.int().describe('Number of the preview of this image, from 0.'),
    ...ImageView.omit({ index: true, thumbhash: true, thumbnail_url: true, variants: true }).shape,
    content_url: z
      .string()
      .describe(
        'Path of the bytes at this service. Needs the key and works until an hour after the end of the job.',
      ),
  })
  .describe('A preview of an image that is not finished.');
export type PreviewView = z.infer<typeof PreviewView>;

/** Roles and origins of inputs on the wire. */
export const shownInputRoles = [...inputRoles, other] as const;
export const shownSourceTypes = [...inputSourceTypes, other] as const;

export const InputView = z.object({
  role: z.enum(shownInputRoles),
  content_type: z
    .string()
    .nullable()
    .describe('Facts about the stored bytes are `null` until a worker has fetched a URL.'),
  width: z.int().nullable().describe('Width in pixels, after orientation.'),
  height: z.int().nullable().describe('Height in pixels, after orientation.'),
  size_bytes: z.int().nullable(),
  sha256: z.string().nullable().describe('Digest of the bytes that are stored and sent, in hexadecimal.'),
  source: z.object({
    type: z.enum(shownSourceTypes),
    upload_id: z.string().optional(),
    image_id: z.string().optional().describe('Id of the job with the image.'),
    index: z.int().optional().describe('Index of the image in that job.'),
    url: z.string().optional(),
  }),
});

export const AttemptView = z.object({
  kind: z.enum(shownAttemptKinds),
  provider: z.string().nullable().describe('Name of the provider that was called.'),
  index: z.int().describe('Index of the image; 0 for an enhancement.'),
  state: z.enum(shownAttemptStates),
  started_at: time,
  finished_at: nullableTime,
  provider_request_id: z.string().nullable().describe('Provider request id, for support cases.'),
  error: z.string().nullable().describe('Error code of the attempt.'),
  cost_micro_usd: z.int().nullable().describe('Cost in micro-USD. `null` if unknown, never 0 instead.'),
});

export const ImageJobView = z.object({
  id: z.string(),
  object: z.literal('image_job'),
  status: z.enum(jobStatuses),
  stage: z.enum(jobStages).nullable(),
  created_at: time,
  updated_at: time.describe('Last update. If you hold two versions of a job, keep the later one.'),
  started_at: nullableTime,
  finished_at: nullableTime,
  expires_at: nullableTime.describe('Time at which the images are deleted.'),
  cancel_requested_at: nullableTime,
  request: ImageRequestFields.partial(),
  prompt: z.object({
    original: z.string(),
    enhanced: z
      .string()
      .nullable()
      .describe('Description written by a language model, if `enhance` requested one.'),
    revised: z.string().nullable().describe('Prompt as changed by the provider.'),
  }),
  images: z.array(ImageView),
  partial: z.boolean().describe('Whether the job succeeded with fewer than `n` images.'),
  error: JobErrorView.nullable().describe('Error that ended the job, if it failed or expired.'),
  image_errors: z.array(JobErrorView).describe('Errors of single images.'),
  warnings: z.array(z.string()).describe('Remarks on the request, such as a model near its end.'),
  provider: z
    .string()
    .nullable()
    .describe(
      'Provider of the last call, such as `openai`; `studio` for offline images; `null` before a call.',
    ),
  livemode: z
    .boolean()
    .nullable()
    .describe('False for offline images of `studio`, which cost nothing; `null` before a call.'),
  inputs: z.array(InputView).describe('Inputs of an edit. Empty for generations.'),
  usage: TokenTotals.nullable(),
  cost: z.object({
    micro_usd: z.int().nullable().describe('Cost in micro-USD. `null` if unknown, never 0 instead.'),
    estimated: z.boolean().describe('True until the job has ended.'),
    billing: z.enum(billings),
    price_version: z.string().describe('Version of the price list.'),
  }),
  queue: z.object({
    position: z
      .int()
      .nullable()
      .describe(
        'Number of jobs that start before this one if none is added; an estimate if many tenants have waiting jobs. `null` if not queued.',
      ),
    eta_s: z
      .number()
      .nullable()
      .describe(
        'Seconds from `updated_at` until a job that waits for a blocked provider scope is tried again; `null` if unknown.',
      ),
  }),
  attempts: z.array(AttemptView).describe('Ledger of the calls to the provider.'),
  metadata: z.record(z.string(), z.string()),
  parent_id: z.string().nullable().describe('Id of the job that this one retries or varies.'),
  urls: z.object({
    self: z.string(),
    cancel: z.string(),
    events: z.string(),
    content: z.string().describe('Path of the first stored image.'),
  }),
});
export type ImageJobView = z.infer<typeof ImageJobView>;
