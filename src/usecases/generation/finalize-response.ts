import { type Attempt, finalizeAttempt, knownCost } from '../../domain/attempt.ts';
import type { TokenUsage } from '../../domain/cost.ts';
import { AppError } from '../../domain/errors.ts';
import { type StoredImage, storageKeyOf } from '../../domain/image.ts';
import { hasImage, type ImageJob, isTerminal, type Retention } from '../../domain/image-job.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import { addImage, finishIfWhole } from '../../domain/job-moves.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import {
  type Clock,
  type DecodedResponse,
  type FindDecoder,
  type ImageStorage,
  type Log,
  ProviderError,
  type Spool,
} from '../../domain/ports.ts';
import type { StoredTokens } from '../../domain/token-totals.ts';
import type { SharedBytes } from '../../lib/shared-bytes.ts';
import type { UpdateJob } from '../jobs/update-job.ts';
import { callCost } from './call-cost.ts';
import type { Prepared } from './early-upload.ts';
import type { RecordTokens } from './record-tokens.ts';
import { lostResponse } from './retry-decision.ts';
import type { UploadImage } from './upload-image.ts';

interface Deps {
  findDecoder: FindDecoder;
  spool: Pick<Spool, 'open' | 'remove'>;
  storage: Pick<ImageStorage, 'remove'>;
  uploadImage: UploadImage;
  /** Shares a stored image with callers of this process. */
  shareImage: SharedBytes['share'];
  updateJob: UpdateJob;
  catalogue: ModelCatalogue;
  recordTokens: RecordTokens;
  /**
   * Runs work under the limit of images in memory that come from the spool.
   *
   * @returns `null` if the signal aborted before a slot was free.
   */
  withMemorySlot: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T | null>;
  clock: Clock;
  log: Log;
  retentionOf: (job: ImageJob) => Retention;
}

/** Updates the job. Rejects if this run no longer holds the job's lease. */
type UpdateOwnJob = (change: (job: ImageJob) => ImageJob) => Promise<void>;

interface FinalizeOptions {
  readonly signal: AbortSignal;
  /** Updates the job if the caller is the run that paid. Without it, and once it rejects, the response counts as late. */
  readonly update?: UpdateOwnJob;
  /** Result of the early upload. */
  readonly prepared?: Prepared | null | undefined;
}

/**
 * Turns a spooled provider response into a stored image and records it. Never calls the provider, so it is safe to retry.
 * A response whose job has ended, or whose image another call brought, is recorded as wasted: the ledger shows its cost,
 * and its bytes are removed.
 */
export function createFinalizeResponse(deps: Deps) {
  const keyOf = ({ tenant, id: jobId }: ImageJob, { no: attemptNo }: Attempt) => ({
    tenant,
    jobId,
    attemptNo,
  });

  async function decode(job: ImageJob, attempt: Attempt): Promise<DecodedResponse> {
    const spooled = await deps.spool.open(keyOf(job, attempt));
    if (!spooled) throw lostResponse();
    const decodeBody = spooled.format === 'known' ? deps.findDecoder(spooled.head.provider) : undefined;
    if (spooled.format === 'unknown' || !decodeBody) {
      throw new AppError('internal', { detail: 'Only another release can read the spooled response.' });
    }
    return decodeBody(spooled.body);
  }

  function withImage(
    job: ImageJob,
    attempt: Attempt,
    { image, response }: { image: StoredImage; response: DecodedResponse },
  ): ImageJob {
    // Another process recorded the same bytes under the same key before.
    if (job.images.some((each) => each.storageKey === image.storageKey)) return job;
    const isWasted = isTerminal(job.status) || hasImage(job, image.index);
    const nowMs = deps.clock();
    const attempts = finalizeAttempt(job.attempts, attempt.no, {
      state: isWasted ? 'wasted' : 'stored',
      finishedAt: nowMs,
      ...knownCost(callCost(job, response, deps.catalogue)),
    });
    if (isWasted) return { ...job, attempts };
    const next = {
      ...addImage(job, image, nowMs),
      attempts,
      ...(response.revisedPrompt ? { revisedPrompt: response.revisedPrompt } : {}),
      ...(response.usage ? { usage: totalOf(job, response.usage) } : {}),
    };
    // The last image ends the job in the same write, so callers need not wait for another one.
    return finishIfWhole(next, { nowMs, retention: deps.retentionOf(next) });
  }

  /** Records a stored image, as late if the job belongs to another run. Returns whether the job uses the image. */
  async function record(
    job: ImageJob,
    change: (current: ImageJob) => ImageJob,
    { storageKey, update }: { storageKey: string; update: UpdateOwnJob | undefined },
  ): Promise<boolean> {
    let isUsed = false;
    const recording = (current: ImageJob) => {
      const next = change(current);
      isUsed = next.images.some((each) => each.storageKey === storageKey);
      return next;
    };
    const updateAnyway = () => deps.updateJob(job, recording);
    try {
      await (update ? update(recording) : updateAnyway());
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'already_terminal') throw error;
      await updateAnyway();
    }
    return isUsed;
  }

  /** Stores and records the image of a response. Returns false if it could not be stored now. */
  async function store(job: ImageJob, attempt: Attempt, options: FinalizeOptions): Promise<boolean> {
    const { signal, update, prepared } = options;
    const response = prepared?.response ?? (await decode(job, attempt));
    const storageKey = storageKeyOf(job, attempt, response.image.contentType);
    const target = { job, index: attempt.index, storageKey };
    // Recovery tries once, because its next round retries a failing storage.
    const maxTries = update ? Number.POSITIVE_INFINITY : 1;
    const image = await (prepared?.upload ?? deps.uploadImage(response.image, target, { signal, maxTries }));
    if (!image) return false;
    if (!prepared) void deps.shareImage(job.id, storageKey, response.image.bytes);
    const change = (now: ImageJob) => withImage(now, attempt, { image, response });
    if (!(await record(job, change, { storageKey, update }))) {
      deps.log.warn({ ...logFieldsOf(job), attempt: attempt.no }, 'response too late, recorded as wasted');
      await deps.storage.remove(storageKey);
    }
    deps.recordTokens(job, response);
    // No caller waits for the disk. Recovery finds and removes a file that stays.
    deps.spool.remove(keyOf(job, attempt)).catch((error) => {
      deps.log.warn(
        { err: error, ...logFieldsOf(job), attempt: attempt.no },
        'finalized response not removed',
      );
    });
    return true;
  }

  /**
   * @returns whether the response is finalized. `false` if `signal` aborted first, or, during recovery, if the storage did
   *   not accept the image.
   * @throws ProviderError if the response holds no image. Its file is removed, because it will never hold one.
   */
  return async (job: ImageJob, attempt: Attempt, options: FinalizeOptions): Promise<boolean> => {
    const work = () => store(job, attempt, options);
    try {
      return options.prepared ? await work() : ((await deps.withMemorySlot(work, options.signal)) ?? false);
    } catch (error) {
      if (error instanceof ProviderError) await deps.spool.remove(keyOf(job, attempt));
      throw error;
    }
  };
}
export type FinalizeResponse = ReturnType<typeof createFinalizeResponse>;

function totalOf({ usage: before, inputs }: ImageJob, usage: TokenUsage): StoredTokens {
  const total = (key: 'input_tokens' | 'output_tokens' | 'total_tokens') => (before?.[key] ?? 0) + usage[key];
  const earlier = before ? before.input_image_tokens : 0;
  const more = inputs?.length ? usage.input_tokens_details?.image_tokens : undefined;
  return {
    input_tokens: total('input_tokens'),
    output_tokens: total('output_tokens'),
    total_tokens: total('total_tokens'),
    ...(earlier === undefined || more === undefined ? {} : { input_image_tokens: earlier + more }),
  };
}
