import { type Attempt, addAttempt, bringsImage, nextAttemptNo, patchAttempt } from '../../domain/attempt.ts';
import { AppError } from '../../domain/errors.ts';
import { hasImage, type ImageJob, type JobStage } from '../../domain/image-job.ts';
import { checkRun, enterStage, touch, withLostWrites } from '../../domain/job-moves.ts';
import type { StopReason } from '../../domain/ports.ts';
import type { UpdateJob } from '../jobs/update-job.ts';

/** The fields of a ledger row that are known before its call. */
export interface NewAttempt extends Pick<Attempt, 'kind' | 'index' | 'model' | 'partialImages'> {
  readonly provider: string;
  readonly stage: JobStage;
}

/** One run of a job by one worker: the latest known record plus the fencing token required to update it. */
export interface JobRun {
  readonly job: ImageJob;
  /** Aborts if the run has to stop. The abort reason is a `StopReason`. */
  readonly signal: AbortSignal;
  /**
   * Updates the record and repeats the write until the store is available. `next` may run several times, also on its own
   * result.
   *
   * @throws AppError `already_terminal` if the job ended or belongs to a newer run; `store_unavailable` if the run has to
   *   stop while the store is down.
   */
  update(next: (job: ImageJob) => ImageJob): Promise<void>;
  /**
   * Writes a `calling` row to the ledger together with the stage, or fails. The call must follow at once. A row that was
   * written although this fails is removed by the next write of the run, because no call followed.
   *
   * @returns the row, or `null` if another process stored the image first.
   * @throws AppError `budget_exceeded` if the call is a further one and its hold does not fit a budget.
   */
  openAttempt(attempt: NewAttempt, nowMs: number): Promise<Attempt | null>;
  /** Updates an open attempt together with any further change. As persistent as `update`. */
  updateAttempt(no: number, patch: Partial<Attempt>, also?: (job: ImageJob) => ImageJob): Promise<void>;
}

/** Returns whether a stopped run leaves its job to the next run. */
export function isHandingOver(signal: AbortSignal): boolean {
  const reason = signal.aborted ? (signal.reason as StopReason) : undefined;
  return reason === 'draining' || reason === 'lock_lost';
}

const isUnavailable = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'store_unavailable';

/** Pause before a write to an unavailable store is repeated. */
const storePauseMs = 500;

/**
 * Binds a run to the fencing token that its record has now.
 *
 * @param options.sleep resolves after the time, or at once if the signal aborts.
 */
export function createJobRun(
  begun: ImageJob,
  deps: {
    readonly updateJob: UpdateJob;
    /** Begins a call. @throws AppError `budget_exceeded` if the hold of a further call does not fit. */
    readonly updateWithinBudgets: UpdateJob;
  },
  options: { stop: AbortSignal; sleep: (ms: number, signal: AbortSignal) => Promise<void> },
): JobRun {
  const { fence } = begun;
  const canceled = new AbortController();
  const signal = AbortSignal.any([options.stop, canceled.signal]);
  let current = begun;
  /** Rows whose write got no reply. They may exist, although no call followed. */
  const unsent: Pick<Attempt, 'no' | 'index'>[] = [];

  /**
   * Repeats a write until the store is available again. Only this process knows the outcome of a paid call: without the
   * row the next run would pay again. All writes except the first row of a call may be repeated.
   */
  async function untilStored(write: () => Promise<void>): Promise<void> {
    for (;;) {
      const isLastTry = signal.aborted;
      try {
        return await write();
      } catch (error) {
        if (!isUnavailable(error) || isLastTry) throw error;
        await options.sleep(storePauseMs, signal);
      }
    }
  }

  /**
   * Removes the rows without a call. Otherwise they would count as calls that may have been charged. The images of a job open
   * rows at the same time, so the number of a row without a call may belong to the call of another image.
   */
  function withoutUnsent(job: ImageJob): ImageJob {
    const isUnsent = (attempt: Attempt) =>
      attempt.fence === fence && unsent.some(({ no, index }) => no === attempt.no && index === attempt.index);
    return job.attempts.some(isUnsent)
      ? { ...job, attempts: job.attempts.filter((each) => !isUnsent(each)) }
      : job;
  }

  async function updateOwn(
    next: (job: ImageJob) => ImageJob,
    updateJob: UpdateJob = deps.updateJob,
  ): Promise<void> {
    const checked = (stored: ImageJob) => {
      const job = withLostWrites(stored, current);
      checkRun(job, begun);
      return next(withoutUnsent(job));
    };
    const written = await updateJob(current, checked, current);
    if (!written) throw new AppError('already_terminal', { detail: 'The record is gone.' });
    // Images of one job update it concurrently, and the replies may arrive out of order.
    if (written.version > current.version) current = written;
    // The record carries the cancel request too, because its message may be lost.
    if (current.cancelRequestedAt !== undefined) canceled.abort('canceled' satisfies StopReason);
  }

  return {
    get job() {
      return current;
    },
    signal,
    update: (next) => untilStored(() => updateOwn(next)),
    async openAttempt({ stage, kind, index, ...facts }, nowMs) {
      let row: Attempt | null = null;
      const tried: number[] = [];
      const withRow = (job: ImageJob) => {
        row = null;
        if (bringsImage(kind) && hasImage(job, index)) return job;
        // The number of a removed row is not used again, because this run would remove its new row too.
        const no = Math.max(nextAttemptNo(job.attempts), ...unsent.map((each) => each.no + 1));
        tried.push(no);
        row = { no, kind, index, state: 'calling', fence, startedAt: nowMs, ...facts };
        const attempts = addAttempt(job.attempts, row);
        return { ...touch(enterStage(job, stage, nowMs), nowMs), attempts };
      };
      await updateOwn(withRow, deps.updateWithinBudgets).catch((error) => {
        // A refusal is a reply: nothing was written.
        if (isUnavailable(error)) unsent.push(...tried.map((each) => ({ no: each, index })));
        throw error;
      });
      return row;
    },
    updateAttempt: (no, patch, also = (job) => job) =>
      untilStored(() =>
        updateOwn((job) => also({ ...job, attempts: patchAttempt(job.attempts, no, patch) })),
      ),
  };
}
