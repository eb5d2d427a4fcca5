import { type Attempt, attemptKinds, attemptStates, billingOf } from './attempt.ts';
import { sumCosts } from './cost.ts';
import { billings, errorRow, shownCode } from './errors.ts';
import type { StoredPreview } from './image.ts';
import {
  finalError,
  type ImageJob,
  isTerminal,
  type JobError,
  shownStage,
  shownStatus,
} from './image-job.ts';
import { inputRoles, inputSourceTypes, type JobInput } from './input-image.ts';
import { isoTime } from './iso-time.ts';
import { expectedCostOf } from './job-money.ts';
import { type ImageJobView, other, type PreviewView } from './job-view.ts';
import { knownOr } from './stored.ts';

/** Returns the totals without the share of the input images, which only `/v1` shows. */
function totalsOf({ usage }: ImageJob): ImageJobView['usage'] {
  if (!usage) return null;
  const { input_image_tokens: _share, ...totals } = usage;
  return totals;
}

/** Links to one image that work without a key until they expire. */
export interface ImageLinks {
  readonly url: string;
  /** Absent if there is no thumbnail. */
  readonly thumbnailUrl?: string | undefined;
  readonly expiresAtMs: number;
}

/** Facts that are known only when the job is read. */
export interface ViewContext {
  /** Public address without a trailing slash. */
  readonly publicUrl: string;
  readonly links: ReadonlyMap<number, ImageLinks>;
  readonly position: number | null;
  readonly priceVersion: string;
}

/**
 * Returns the view of a job, field by field, so that no field of a record reaches the wire by accident. Values of a newer
 * release are shown by their fallbacks. Not for erased jobs, which have no view.
 */
export function viewJob(job: ImageJob, context: ViewContext): ImageJobView {
  const self = `${context.publicUrl}${pathOf(job)}`;
  const status = shownStatus(job);
  const error = finalError(job);
  const provider = job.attempts.findLast((attempt) => attempt.provider !== undefined)?.provider ?? null;
  const prompt = job.request?.prompt ?? '';
  return {
    id: job.id,
    object: 'image_job',
    status,
    stage: shownStage(job.stage),
    created_at: isoTime(job.createdAt),
    updated_at: isoTime(job.updatedAt),
    started_at: isoOrNull(job.startedAt),
    finished_at: isoOrNull(job.finishedAt),
    expires_at: isoOrNull(job.mediaExpiresAt),
    cancel_requested_at: isoOrNull(job.cancelRequestedAt),
    // The view has metadata as a field of its own, and JSON omits undefined fields.
    request: { prompt, ...job.request, metadata: undefined },
    prompt: { original: prompt, enhanced: job.enhancedPrompt ?? null, revised: job.revisedPrompt ?? null },
    images: job.mediaGone ? [] : viewImages(job, context),
    partial: status === 'succeeded' && job.images.length < (job.request?.n ?? 1) && !job.mediaGone,
    error: error ? viewError(error) : null,
    image_errors: (job.errors ?? []).filter((each) => each.index !== undefined).map(viewError),
    warnings: job.warnings ?? [],
    provider,
    livemode: provider === null ? null : provider !== offlineProvider,
    inputs: (job.inputs ?? []).map(viewInput),
    usage: totalsOf(job),
    cost: viewCost(job, context),
    queue: { position: context.position, eta_s: etaOf(job) },
    attempts: job.attempts.map(viewAttempt),
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

/** The provider that draws images offline and charges nothing. */
const offlineProvider = 'studio';

/** Returns the path of a job below the address of the service. */
function pathOf({ id }: ImageJob): string {
  return `/images/${id}`;
}

/** Returns the lowest index of a stored image; 0 if there is none. */
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
        url_expires_at: isoTime(link.expiresAtMs),
        content_url: `${pathOf(job)}/content/${image.index}`,
        content_type: image.contentType,
        width: image.width,
        height: image.height,
        size_bytes: image.sizeBytes,
        sha256: image.sha256,
        thumbhash: image.thumbhash || null,
        thumbnail_url: link.thumbnailUrl ?? null,
        variants: {},
      };
    });
}

/** Returns the view of a preview. */
export function viewPreview(
  job: ImageJob,
  preview: StoredPreview,
  link: { readonly url: string; readonly expiresAtMs: number },
): PreviewView {
  return {
    index: preview.index,
    partial_image_index: preview.partial,
    url: link.url,
    url_expires_at: isoTime(link.expiresAtMs),
    content_url: `${pathOf(job)}/content/${preview.index}?partial=${preview.partial}`,
    content_type: preview.contentType,
    width: preview.width,
    height: preview.height,
    size_bytes: preview.sizeBytes,
    sha256: preview.sha256,
  };
}

function viewInput({ role, source, ...facts }: JobInput): ImageJobView['inputs'][number] {
  return {
    role: knownOr(inputRoles, role, other),
    content_type: facts.contentType ?? null,
    width: facts.width ?? null,
    height: facts.height ?? null,
    size_bytes: facts.sizeBytes ?? null,
    sha256: facts.sha256 ?? null,
    source: {
      type: knownOr(inputSourceTypes, source.type, other),
      ...(source.uploadId === undefined ? {} : { upload_id: source.uploadId }),
      ...(source.imageId === undefined ? {} : { image_id: source.imageId }),
      ...(source.index === undefined ? {} : { index: source.index }),
      ...(source.url === undefined ? {} : { url: source.url }),
    },
  };
}

function viewAttempt(attempt: Attempt): ImageJobView['attempts'][number] {
  return {
    kind: knownOr(attemptKinds, attempt.kind, other),
    provider: attempt.provider ?? null,
    index: attempt.index,
    state: knownOr(attemptStates, attempt.state, other),
    started_at: isoTime(attempt.startedAt),
    finished_at: isoOrNull(attempt.finishedAt),
    provider_request_id: attempt.providerRequestId ?? null,
    error: attempt.error === undefined ? null : shownCode(attempt.error),
    cost_micro_usd: costOf(attempt),
  };
}

function viewError(error: JobError): NonNullable<ImageJobView['error']> {
  const code = shownCode(error.code);
  return {
    code,
    message: error.message,
    stage: shownStage(error.stage),
    retryable: errorRow(code).retryable && !error.final,
    billing: knownOr(billings, error.billing, 'possible'),
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
 * Returns the cost of a job. Before the end it is the upper bound with which the job was accepted. Afterwards it is the sum
 * over the attempts, computed from the provider's own usage. A single attempt with an unknown price or outcome makes it
 * `null`.
 */
function viewCost(job: ImageJob, context: ViewContext): ImageJobView['cost'] {
  const price_version = context.priceVersion;
  const billing = billingOf(job.attempts);
  if (!isTerminal(job.status)) {
    return { micro_usd: expectedCostOf(job), estimated: true, billing, price_version };
  }
  return { micro_usd: costOfAttempts(job.attempts), estimated: false, billing, price_version };
}

/** Returns the cost of all calls of a job that has ended; `null` if the cost of any call is unknown. */
export const costOfAttempts = (attempts: readonly Attempt[]): number | null => sumCosts(attempts.map(costOf));

function costOf({ state, costMicroUsd }: Attempt): number | null {
  return state === 'rejected' ? 0 : (costMicroUsd ?? null);
}

/**
 * Returns the seconds from the last update until a job that waits for a blocked provider scope, or for another release, is
 * tried again; `null` for every other job. It does not depend on the time of the read, because views carry an ETag.
 */
function etaOf({ blocked }: ImageJob): number | null {
  return blocked ? Math.ceil((blocked.untilMs - blocked.sinceMs) / 1000) : null;
}

function isoOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : isoTime(ms);
}
