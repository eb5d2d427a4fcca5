import { billingOf } from './attempt.ts';
import { sumCosts } from './cost.ts';
import { errorRow } from './errors.ts';
import { finalError, type ImageJob, isTerminal, type JobError } from './image-job.ts';
import type { ImageJobView } from './job-view.ts';

/** What is known only at the moment of reading. */
export interface ViewContext {
  /** Public address without a trailing slash. */
  readonly publicUrl: string;
  readonly links: ReadonlyMap<number, { url: string; expiresAtMs: number }>;
  readonly position: number | null;
  readonly estimateMicroUsd: number | null;
  readonly priceVersion: string;
}

/**
 * Shows a job, field by field, so that nothing of a record reaches the wire that is not named here. Not for erased ones:
 * they have no shape any more.
 */
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
      content: `${self}/content/${firstImage(job)}`,
    },
  };
}

/** Where a job is, below the address of the service. */
function pathOf({ id }: ImageJob): string {
  return `/images/${id}`;
}

/** The lowest index of an image that is there; 0 while there is none. */
function firstImage(job: ImageJob): number {
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

function viewError(error: JobError): NonNullable<ImageJobView['error']> {
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
