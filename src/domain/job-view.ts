import { z } from 'zod';
import { attemptStates, billingOf } from './attempt.ts';
import { sumCosts } from './cost.ts';
import { billings, errorCodes, errorRow } from './errors.ts';
import {
  finalError,
  type ImageJob,
  isTerminal,
  type JobError,
  jobStages,
  jobStatuses,
  TokenTotals,
} from './image-job.ts';
import { ImageRequestBody } from './image-request.ts';

/**
 * The one shape in which a job is shown: poll, list, stream and webhook. It is built field by field, so that nothing
 * of a record reaches the wire that is not named here.
 */

const time = z.iso.datetime();
const nullableTime = time.nullable();

export const JobErrorView = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  stage: z.enum(jobStages).nullable(),
  retryable: z.boolean().describe('Whether the same order may succeed later.'),
  billing: z.enum(billings),
  index: z.int().nullable().describe('Which picture it concerns; `null` when it is the whole job.'),
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
  index: z.int().describe('Which of the pictures; 0 for a description.'),
  state: z
    .enum(attemptStates)
    .describe('`rejected` was not charged, `uncertain` may have been, whatever brought an answer was.'),
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
  expires_at: nullableTime.describe('When the pictures are forgotten.'),
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
  partial: z.boolean().describe('Whether some of the `n` pictures are missing though the job succeeded.'),
  error: JobErrorView.nullable().describe('What ended the job, where it failed.'),
  image_errors: z.array(JobErrorView).describe('What went wrong with single pictures.'),
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
    eta_s: z.number().nullable(),
  }),
  attempts: z.array(AttemptView).describe('Every call that was, or may have been, paid for.'),
  metadata: z.record(z.string(), z.string()),
  parent_id: z.string().nullable().describe('The job that this one repeats.'),
  urls: z.object({
    self: z.string(),
    cancel: z.string(),
    events: z.string(),
    content: z.string().describe('The first of the pictures that are there.'),
  }),
});
export type ImageJobView = z.infer<typeof ImageJobView>;

/** What is known only at the moment of reading. */
export interface ViewContext {
  /** Public address without a trailing slash. */
  readonly publicUrl: string;
  readonly links: ReadonlyMap<number, { url: string; expiresAtMs: number }>;
  readonly position: number | null;
  readonly estimateMicroUsd: number | null;
  readonly priceVersion: string;
}

/** Shows a job. Not for erased ones: they have no shape any more. */
export function viewJob(job: ImageJob, context: ViewContext): ImageJobView {
  const self = `${context.publicUrl}${pathOf(job)}`;
  const error = finalError(job);
  const prompt = job.request?.prompt ?? '';
  const createdAt = iso(job.createdAt);
  return {
    id: job.id,
    object: 'image_job',
    status: job.status,
    stage: job.stage ?? null,
    created_at: createdAt,
    // Spelling a time takes as long as the rest of this; a new job has one for both.
    updated_at: job.updatedAt === job.createdAt ? createdAt : iso(job.updatedAt),
    started_at: isoOrNull(job.startedAt),
    finished_at: isoOrNull(job.finishedAt),
    expires_at: isoOrNull(job.mediaExpiresAt),
    cancel_requested_at: isoOrNull(job.cancelRequestedAt),
    // The metadata stand beside it; JSON leaves out what is undefined.
    request: { prompt, ...job.request, metadata: undefined },
    prompt: { original: prompt, enhanced: job.enhancedPrompt ?? null, revised: job.revisedPrompt ?? null },
    images: job.mediaGone ? [] : viewImages(job, context),
    partial: job.status === 'succeeded' && job.images.length < (job.request?.n ?? 1) && !job.mediaGone,
    error: error ? viewError(error) : null,
    image_errors: (job.errors ?? []).filter((each) => each.index !== undefined).map(viewError),
    warnings: job.warnings ?? [],
    usage: job.usage ?? null,
    cost: viewCost(job, context),
    queue: { position: context.position, eta_s: null },
    attempts: job.attempts.map((attempt) => ({
      kind: attempt.kind,
      index: attempt.index,
      state: attempt.state,
      started_at: iso(attempt.startedAt),
      finished_at: isoOrNull(attempt.finishedAt),
      provider_request_id: attempt.providerRequestId ?? null,
      error: attempt.error ?? null,
      cost_micro_usd: attempt.state === 'rejected' ? 0 : (attempt.costMicroUsd ?? null),
    })),
    metadata: job.request?.metadata ?? {},
    parent_id: job.parentId ?? null,
    urls: {
      self,
      cancel: `${self}/cancel`,
      events: `${self}/events`,
      content: `${self}/content/${firstPicture(job)}`,
    },
  };
}

/** Where a job is, below the address of the service. */
function pathOf({ id }: ImageJob): string {
  return `/images/${id}`;
}

/** The lowest index of a picture that is there; 0 while there is none. */
function firstPicture(job: ImageJob): number {
  return job.images.length === 0 ? 0 : Math.min(...job.images.map((image) => image.index));
}

function viewImages(job: ImageJob, context: ViewContext): ImageJobView['images'] {
  return [...job.images]
    .sort((a, b) => a.index - b.index)
    .flatMap((image) => {
      const link = context.links.get(image.index);
      if (!link) return [];
      return {
        index: image.index,
        url: link.url,
        url_expires_at: iso(link.expiresAtMs),
        content_url: `${pathOf(job)}/content/${image.index}`,
        content_type: image.contentType,
        width: image.width,
        height: image.height,
        size_bytes: image.sizeBytes,
        sha256: image.sha256,
        variants: {},
      };
    });
}

function viewError(error: JobError): z.infer<typeof JobErrorView> {
  return {
    code: error.code,
    message: error.message,
    stage: error.stage ?? null,
    retryable: errorRow(error.code).retryable,
    billing: error.billing,
    index: error.index ?? null,
    provider: error.provider
      ? {
          status: error.provider.status ?? null,
          code: error.provider.code ?? null,
          request_id: error.provider.request_id ?? null,
          categories: error.provider.categories ?? [],
        }
      : null,
  };
}

/**
 * Before the end the cost is an estimate. Afterwards it is the sum of what the attempts cost by the provider's own
 * usage; one attempt whose price or outcome is unknown makes it `null`.
 */
function viewCost(job: ImageJob, context: ViewContext): ImageJobView['cost'] {
  const price_version = context.priceVersion;
  const billing = billingOf(job.attempts);
  if (!isTerminal(job.status)) {
    return { micro_usd: context.estimateMicroUsd, estimated: true, billing, price_version };
  }
  const amounts = job.attempts.map((attempt) =>
    attempt.state === 'rejected' ? 0 : (attempt.costMicroUsd ?? null),
  );
  return { micro_usd: sumCosts(amounts), estimated: false, billing, price_version };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : iso(ms);
}
