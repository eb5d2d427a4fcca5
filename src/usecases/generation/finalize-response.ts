import { type Attempt, finalizeAttempt, knownCost } from '../../domain/attempt.ts';
import type { TokenUsage } from '../../domain/cost.ts';
import { AppError } from '../../domain/errors.ts';
import { type StoredImage, storageKeyOf } from '../../domain/image.ts';
import { hasImage, type ImageJob, isTerminal, type Retention } from '../../domain/image-job.ts';
import { addImage, finishIfWhole } from '../../domain/job-moves.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import {
  type Clock,
  type DecodedResponse,
  type ImageProvider,
  type ImageStorage,
  type Log,
  ProviderError,
  type Spool,
} from '../../domain/ports.ts';
import type { UpdateJob } from '../jobs/update-job.ts';
import { callCost } from './call-cost.ts';
import { lostResponse } from './call-provider.ts';
import type { Prepared } from './early-upload.ts';
import type { UploadImage } from './upload-image.ts';

interface Deps {
  provider: ImageProvider;
  spool: Spool;
  storage: Pick<ImageStorage, 'remove'>;
  uploadImage: UploadImage;
  change: UpdateJob;
  catalogue: ModelCatalogue;
  /**
   * Runs work under the limit on images held in memory that come from the spool.
   *
   * @returns `null` when the signal aborted before there was room.
   */
  inMemory: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T | null>;
  clock: Clock;
  log: Log;
  retentionOf: (job: ImageJob) => Retention;
}

/** How the ledger is told of a settled answer; refuses when the record is no longer the teller's. */
type Tell = (change: (job: ImageJob) => ImageJob) => Promise<void>;

/** What only the execution that paid has. */
interface Owner {
  readonly tell?: Tell;
  readonly prepared?: Prepared | null | undefined;
}

/**
 * The free part: a paid answer from the spool is decoded, stored and entered, as often as it takes. An answer whose job
 * has ended, or whose place was filled meanwhile, is entered as wasted: its money stays visible, its bytes go.
 */
export function createFinalizeResponse(deps: Deps) {
  const keyOf = (job: ImageJob, attempt: Attempt) => ({
    tenant: job.tenant,
    jobId: job.id,
    attemptNo: attempt.no,
  });

  async function decode(job: ImageJob, attempt: Attempt): Promise<DecodedResponse> {
    const key = keyOf(job, attempt);
    const response = await deps.spool.open(key);
    if (!response) throw lostResponse();
    if (response.format === 'unknown') throw new AppError('internal');
    return deps.provider.decode(response.body);
  }

  function entered(job: ImageJob, attempt: Attempt, image: StoredImage, response: DecodedResponse): ImageJob {
    // Entered before, by whoever was faster: the same bytes under the same key.
    if (job.images.some((each) => each.storageKey === image.storageKey)) return job;
    const wasted = isTerminal(job.status) || hasImage(job, image.index);
    const attempts = finalizeAttempt(job.attempts, attempt.no, {
      state: wasted ? 'wasted' : 'stored',
      finishedAt: deps.clock(),
      ...knownCost(callCost(job, response, deps.catalogue)),
    });
    if (wasted) return { ...job, attempts };
    const nowMs = deps.clock();
    const next = {
      ...addImage(job, image, nowMs),
      attempts,
      ...(response.revisedPrompt ? { revisedPrompt: response.revisedPrompt } : {}),
      ...(response.usage ? { usage: totalOf(job.usage, response.usage) } : {}),
    };
    // With its last image a job has succeeded: nobody has to wait for another write.
    return finishIfWhole(next, { nowMs, retention: deps.retentionOf(next) });
  }

  /** Tells the ledger without owning the record: for answers that nobody waits for any more. */
  const tellAnyway =
    (job: ImageJob): Tell =>
    async (change) => {
      await deps.change(job.tenant, job.id, change);
    };

  /** Enters a stored image, as late where its job is no longer the owner's. @returns whether the job keeps it. */
  async function enter(
    job: ImageJob,
    change: (current: ImageJob) => ImageJob,
    storageKey: string,
    tell: Tell | undefined,
  ): Promise<boolean> {
    let kept = false;
    const entering = (current: ImageJob) => {
      const next = change(current);
      kept = next.images.some((each) => each.storageKey === storageKey);
      return next;
    };
    try {
      await (tell ?? tellAnyway(job))(entering);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'already_terminal') throw error;
      await tellAnyway(job)(entering);
    }
    return kept;
  }

  /** Stores and enters the image of an answer. @returns false when it could not be stored now. */
  async function settle(
    job: ImageJob,
    attempt: Attempt,
    signal: AbortSignal,
    { tell, prepared }: Owner,
  ): Promise<boolean> {
    const response = prepared?.response ?? (await decode(job, attempt));
    const storageKey = storageKeyOf(job, attempt, response.image.contentType);
    const place = { index: attempt.index, storageKey };
    // Nobody runs for an answer that is handed in: a storage that refuses it now is asked again with the next round.
    const tries = tell ? Number.POSITIVE_INFINITY : 1;
    const image = await (prepared?.upload ?? deps.uploadImage(response.image, place, signal, tries));
    if (!image) return false;
    const kept = await enter(job, (now) => entered(now, attempt, image, response), storageKey, tell);
    if (!kept) {
      deps.log.warn({ job_id: job.id, attempt: attempt.no }, 'answer came too late and is counted as wasted');
      await deps.storage.remove(storageKey);
    }
    // Nobody has to wait for the disk. A file that stays is found by whoever hands answers in, and goes then.
    deps.spool.remove(keyOf(job, attempt)).catch((error) => {
      deps.log.warn({ err: error, job_id: job.id, attempt: attempt.no }, 'settled answer not removed yet');
    });
    return true;
  }

  /**
   * @param owner.tell how an owner changes the record; without one, and once it refuses, the answer counts as late.
   * @param owner.prepared what was done with the answer on its way to the spool.
   * @returns whether the answer was dealt with; `false` when `signal` aborted first, and without an owner also when the
   *   storage did not take the image.
   * @throws ProviderError when there is no image in it. Its file is gone then: it would never hold one.
   */
  return async (
    job: ImageJob,
    attempt: Attempt,
    signal: AbortSignal,
    owner: Owner = {},
  ): Promise<boolean> => {
    const work = () => settle(job, attempt, signal, owner);
    try {
      return owner.prepared ? await work() : ((await deps.inMemory(work, signal)) ?? false);
    } catch (error) {
      if (error instanceof ProviderError) await deps.spool.remove(keyOf(job, attempt));
      throw error;
    }
  };
}
export type FinalizeResponse = ReturnType<typeof createFinalizeResponse>;

function totalOf(before: ImageJob['usage'], usage: TokenUsage): NonNullable<ImageJob['usage']> {
  const total = (key: 'input_tokens' | 'output_tokens' | 'total_tokens') => (before?.[key] ?? 0) + usage[key];
  return {
    input_tokens: total('input_tokens'),
    output_tokens: total('output_tokens'),
    total_tokens: total('total_tokens'),
  };
}
