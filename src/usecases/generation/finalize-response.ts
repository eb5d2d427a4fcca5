import {
  type Attempt,
  finalizeAttempt,
  isFinalized,
  isResponseTo,
  knownCost,
  withCall,
} from '../../domain/attempt.ts';
import { AppError } from '../../domain/errors.ts';
import { type StoredImage, storageKeyOf } from '../../domain/image.ts';
import { hasImage, type ImageJob, isTerminal, type Retention } from '../../domain/image-job.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import { addImage, finishIfWhole } from '../../domain/job-moves.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { Clock, DecodedResponse, FindDecoder, ImageStorage, Log, Spool } from '../../domain/ports.ts';
import { addTokens } from '../../domain/token-totals.ts';
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
    if (spooled.format === 'known' && !isResponseTo(spooled.head, attempt)) throw lostResponse();
    if (spooled.format === 'unknown' || !decodeBody) {
      throw new AppError('internal', { detail: 'Only another release can read the spooled response.' });
    }
    return decodeBody(spooled.body);
  }

  /** Returns the ledger and the tokens of a job after a response. */
  function withOutcome(
    job: ImageJob,
    attempt: Attempt,
    { state, response }: { state: 'stored' | 'wasted'; response: DecodedResponse },
  ): Pick<ImageJob, 'attempts' | 'usage'> {
    const { attempts, row } = withCall(job.attempts, attempt);
    // The request of an erased job is gone, but its rows name their model.
    const model = row.model ?? job.request?.model;
    const cost = knownCost(callCost({ model, kind: row.kind }, response, deps.catalogue));
    const outcome = { state, finishedAt: deps.clock(), ...cost };
    return { attempts: finalizeAttempt(attempts, row.no, outcome), ...addTokens(job, response.usage) };
  }

  /** Records the cost of a response that came too late. Returns the same record if another process did so before. */
  function withWaste(job: ImageJob, attempt: Attempt, response: DecodedResponse): ImageJob {
    if (isFinalized(withCall(job.attempts, attempt).row)) return job;
    return { ...job, ...withOutcome(job, attempt, { state: 'wasted', response }) };
  }

  /** Adds the cost and the tokens of a response whose image was found in the storage before. */
  function withLateCost(job: ImageJob, attempt: Attempt, response: DecodedResponse): ImageJob {
    const { row } = withCall(job.attempts, attempt);
    return row.responseLost ? { ...job, ...withOutcome(job, attempt, { state: 'stored', response }) } : job;
  }

  function withImage(
    job: ImageJob,
    attempt: Attempt,
    { image, response }: { image: StoredImage; response: DecodedResponse },
  ): ImageJob {
    // Another process recorded the same bytes under the same key before.
    if (hasKey(job, image.storageKey)) return withLateCost(job, attempt, response);
    const isWasted = isTerminal(job.status) || hasImage(job, image.index);
    if (isWasted) return withWaste(job, attempt, response);
    const nowMs = deps.clock();
    const next = {
      ...addImage(job, image, nowMs),
      ...withOutcome(job, attempt, { state: 'stored', response }),
      ...(response.revisedPrompt ? { revisedPrompt: response.revisedPrompt } : {}),
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
      isUsed = hasKey(next, storageKey);
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

  /** Removes the bytes of a response that no job uses. */
  async function discard(job: ImageJob, { no }: Attempt, storageKey: string): Promise<void> {
    deps.log.warn({ ...logFieldsOf(job), attempt: no }, 'response too late, recorded as wasted');
    await deps.storage.remove(storageKey);
  }

  /** Stores and records the image of a response. Returns false if it could not be stored now. */
  async function store(job: ImageJob, attempt: Attempt, options: FinalizeOptions): Promise<boolean> {
    const { signal, update, prepared } = options;
    const response = prepared?.response ?? (await decode(job, attempt));
    const storageKey = storageKeyOf(job, attempt, response.image.contentType);
    if (isTerminal(job.status)) {
      // The storage may be the reason why the job ended without its image, so the cost must not wait for it.
      const change = (now: ImageJob) =>
        (hasKey(now, storageKey) ? withLateCost : withWaste)(now, attempt, response);
      if (!(await record(job, change, { storageKey, update: undefined })))
        await discard(job, attempt, storageKey);
      await deps.spool.remove(keyOf(job, attempt));
      return true;
    }
    const target = { job, index: attempt.index, storageKey };
    // Recovery tries once, because its next round retries a failing storage.
    const maxTries = update ? Number.POSITIVE_INFINITY : 1;
    const image = await (prepared?.upload ?? deps.uploadImage(response.image, target, { signal, maxTries }));
    if (!image) return false;
    if (!prepared) void deps.shareImage(job.id, storageKey, response.image.bytes);
    const change = (now: ImageJob) => withImage(now, attempt, { image, response });
    if (!(await record(job, change, { storageKey, update }))) {
      await discard(job, attempt, storageKey);
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
   * @throws ProviderError if the response holds no image. The caller records it and then removes the file, which is the only
   *   trace of the charge until then.
   */
  return async (job: ImageJob, attempt: Attempt, options: FinalizeOptions): Promise<boolean> => {
    const work = () => store(job, attempt, options);
    return options.prepared ? work() : ((await deps.withMemorySlot(work, options.signal)) ?? false);
  };
}

const hasKey = ({ images }: ImageJob, storageKey: string): boolean =>
  images.some((each) => each.storageKey === storageKey);

export type FinalizeResponse = ReturnType<typeof createFinalizeResponse>;
