import { AppError } from '../../domain/errors.ts';
import { type ImageJob, isTerminal, jobError } from '../../domain/image-job.ts';
import { inputKeyOf, isOfNewerRelease, isStoredInput } from '../../domain/input-image.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import type { ImageStorage, JobStore, Log } from '../../domain/ports.ts';
import type { TenantSlots } from '../../lib/tenant-slots.ts';
import type { FetchInputs } from '../inputs/fetch-inputs.ts';
import type { JobRun } from './job-run.ts';
import { type ImageOutcome, RETRY_LATER, WAIT_FOR_FETCH_SLOT, WAIT_FOR_RELEASE } from './retry-decision.ts';

interface Deps {
  records: Pick<JobStore, 'get'>;
  fetchInputs: FetchInputs;
  /** Slots of jobs that fetch. They are fewer than the slots of jobs, so that slow addresses do not stop all jobs. */
  fetchSlots: TenantSlots;
  storage: Pick<ImageStorage, 'remove'>;
  log: Log;
}

/**
 * Fetches the inputs of a job that are URLs, before anything is paid. A job with an input of a newer release waits for it.
 *
 * @returns the outcome of the job if it cannot continue now, otherwise `null`.
 */
export function createResolveInputs(deps: Deps) {
  /** Fetches and records the inputs. If the job has ended or was erased without them, their bytes are removed. */
  async function fetchAndRecord(run: JobRun): Promise<void> {
    const before = run.job;
    try {
      const fetched = await deps.fetchInputs(before, run.signal);
      await run.update((job) => ({ ...job, inputs: fetched }));
    } catch (error) {
      // A fetch that fails or is stopped may have stored other inputs of the job.
      await removeUnrecorded(before).catch((fault) =>
        deps.log.warn({ err: fault, ...logFieldsOf(before) }, 'unrecorded inputs not removed'),
      );
      throw error;
    }
  }

  /** Removes the bytes that this run fetched, unless another run of the job needs or recorded the same bytes. */
  async function removeUnrecorded(before: ImageJob): Promise<void> {
    const now = await deps.records.get(before.tenant, before.id);
    const isRecorded = now?.inputs?.every(isStoredInput) && !now.mediaGone;
    if (now && (!isTerminal(now.status) || isRecorded)) return;
    const added = (before.inputs ?? []).filter((input) => !isStoredInput(input));
    for (const input of added) await deps.storage.remove(inputKeyOf(before, input));
  }

  return async (run: JobRun): Promise<ImageOutcome | null> => {
    const { inputs = [] } = run.job;
    if (inputs.some(isOfNewerRelease)) return WAIT_FOR_RELEASE;
    if (inputs.every(isStoredInput)) return null;
    const leave = deps.fetchSlots.enter(run.job.tenant);
    if (!leave) return WAIT_FOR_FETCH_SLOT;
    try {
      await fetchAndRecord(run);
      return null;
    } catch (error) {
      if (run.signal.aborted) return { kind: 'stopped' };
      if (!(error instanceof AppError) || error.code === 'already_terminal') throw error;
      if (error.code === 'input_unavailable' || error.code === 'input_invalid') {
        const isFinal = error.members.retryable === false;
        const facts = { message: error.message, ...(isFinal ? { final: true as const } : {}) };
        return { kind: 'failed', error: jobError(error.code, 'none', facts) };
      }
      deps.log.warn({ err: error, ...logFieldsOf(run.job) }, 'inputs not fetched, retrying');
      return RETRY_LATER;
    } finally {
      leave();
    }
  };
}
export type ResolveInputs = ReturnType<typeof createResolveInputs>;
