import { z } from 'zod';
import { attemptStates } from './attempt.ts';
import { billings, errorCodes } from './errors.ts';
import { jobStages, jobStatuses, TokenTotals } from './image-job.ts';
import { ImageRequestBody } from './image-request.ts';

/** The one shape in which a job is shown: poll, list, stream and webhook. */

const time = z.iso.datetime();
const nullableTime = time.nullable();

export const JobErrorView = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  stage: z.enum(jobStages).nullable(),
  retryable: z.boolean().describe('Whether the same order may succeed later.'),
  billing: z.enum(billings),
  index: z.int().nullable().describe('Which image it concerns; `null` when it is the whole job.'),
  provider: z
    .object({
      status: z.int().nullable(),
      code: z.string().nullable(),
      request_id: z.string().nullable(),
      categories: z.array(z.string()),
    })
    .nullable()
    .describe('What the provider said, where it was its doing.'),
});

export const ImageView = z.object({
  index: z.int().describe('From 0 to `n` - 1.'),
  url: z.string().describe('Link to the bytes that works without a key until `url_expires_at`.'),
  url_expires_at: time,
  content_url: z
    .string()
    .describe('Path of the bytes at this service. Needs the key and does not expire before them.'),
  content_type: z.string(),
  width: z.int(),
  height: z.int(),
  size_bytes: z.int(),
  sha256: z.string().describe('Of the bytes, in hexadecimal.'),
  variants: z.record(z.string(), z.unknown()).describe('Derived renditions by name.'),
});

export const AttemptView = z.object({
  kind: z.enum(['generate', 'enhance']),
  index: z.int().describe('Which of the images; 0 for a description.'),
  state: z
    .enum(attemptStates)
    .describe(
      '`rejected` was not charged, `uncertain` and `unusable` may have been, every other one that ended was.',
    ),
  started_at: time,
  finished_at: nullableTime,
  provider_request_id: z.string().nullable().describe('Names the call to the support of the provider.'),
  error: z.string().nullable().describe('Code of what went wrong.'),
  cost_micro_usd: z.int().nullable().describe('`null` while or where it is not known, never 0 instead.'),
});

export const ImageJobView = z.object({
  id: z.string(),
  object: z.literal('image_job'),
  status: z.enum(jobStatuses),
  stage: z.enum(jobStages).nullable(),
  created_at: time,
  updated_at: time.describe('Of two copies of a job the later one is true.'),
  started_at: nullableTime,
  finished_at: nullableTime,
  expires_at: nullableTime.describe('When the images are forgotten.'),
  cancel_requested_at: nullableTime,
  request: ImageRequestBody.partial(),
  prompt: z.object({
    original: z.string(),
    enhanced: z
      .string()
      .nullable()
      .describe('As a language model wrote it out, where `enhance` asked for it.'),
    revised: z.string().nullable().describe('As the provider changed it.'),
  }),
  images: z.array(ImageView),
  partial: z.boolean().describe('Whether some of the `n` images are missing though the job succeeded.'),
  error: JobErrorView.nullable().describe('What ended the job, where it failed.'),
  image_errors: z.array(JobErrorView).describe('What went wrong with single images.'),
  warnings: z.array(z.string()).describe('What the caller should know about the order.'),
  usage: TokenTotals.nullable(),
  cost: z.object({
    micro_usd: z
      .int()
      .nullable()
      .describe('Millionths of a US dollar; `null` where unknown, never 0 instead.'),
    estimated: z.boolean().describe('True until the job has ended.'),
    billing: z.enum(billings),
    price_version: z.string().describe('The price list it was computed from.'),
  }),
  queue: z.object({
    position: z.int().nullable().describe('Tasks before it, while it waits.'),
    eta_s: z.number().nullable().describe('Seconds until it may end; `null` where that is not known.'),
  }),
  attempts: z.array(AttemptView).describe('Every call that was, or may have been, paid for.'),
  metadata: z.record(z.string(), z.string()),
  parent_id: z.string().nullable().describe('The job that this one repeats.'),
  urls: z.object({
    self: z.string(),
    cancel: z.string(),
    events: z.string(),
    content: z.string().describe('The first of the images that are there.'),
  }),
});
export type ImageJobView = z.infer<typeof ImageJobView>;
