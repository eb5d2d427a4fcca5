import { type Attempt, addAttempt, nextAttemptNo, patchAttempt } from '../../domain/attempt.ts';
import { AppError } from '../../domain/errors.ts';
import { hasImage, type ImageJob, type JobStage } from '../../domain/image-job.ts';
import { checkFence, enterStage, touch } from '../../domain/job-moves.ts';
import type { StopReason } from '../../domain/ports.ts';
import type { UpdateJob } from '../jobs/update-job.ts';

/** One run of a job by one worker: the record as last seen, and the right to change it as long as nobody took over. */
export interface JobRun {
  readonly job: ImageJob;
  /** Aborts when the run has to stop; its reason is a `StopReason`. */
  readonly signal: AbortSignal;
  /**
   * Changes the record, once the store is there. `next` may run several times, also on what it made itself.
   *
   * @throws AppError `already_terminal` when the job ended or belongs to a newer execution; `store_unavailable` when the
   *   run has to stop while the store is away.
   */
  change(next: (job: ImageJob) => ImageJob): Promise<void>;
  /**
   * Writes a `calling` row to the ledger together with the stage, or fails. The call must follow at once.
   *
   * @returns the number of the row; `null` when the image is there already, entered by somebody else meanwhile.
   */
  openAttempt(
    kind: Attempt['kind'],
    index: number,
    stage: JobStage,
    nowMs: number,
    model?: string,
  ): Promise<number | null>;
  /** Moves an open attempt of the ledger on, together with any further change. As persistent as `change`. */
  moveAttempt(no: number, patch: Partial<Attempt>, also?: (job: ImageJob) => ImageJob): Promise<void>;
}

/** Whether a run was told to leave its job to the next one. */
export function isHandingOver(signal: AbortSignal): boolean {
  const reason = signal.aborted ? (signal.reason as StopReason) : undefined;
  return reason === 'draining' || reason === 'lock_lost';
}

/** How long a store that is away is left alone before it is asked again. */
const storePauseMs = 500;

/**
 * Binds an execution to the fence that its record has now.
 *
 * @param sleep resolves after the time, or at once when the signal aborts.
 */
export function createJobRun(
  taken: ImageJob,
  change: UpdateJob,
  stop: AbortSignal,
  sleep: (ms: number, signal: AbortSignal) => Promise<void>,
): JobRun {
  const { tenant, id, fence } = taken;
  const canceled = new AbortController();
  const signal = AbortSignal.any([stop, canceled.signal]);
  let current = taken;

  /**
   * Repeats a write until the store is there again. What happened to money is known here alone: whoever took the job up
   * without these rows would have to pay again. All writes but the first row of a call may be repeated.
   */
  async function untilStored(write: () => Promise<void>): Promise<void> {
    for (;;) {
      const isLastTry = signal.aborted;
      try {
        return await write();
      } catch (error) {
        const isAway = error instanceof AppError && error.code === 'store_unavailable';
        if (!isAway || isLastTry) throw error;
        await sleep(storePauseMs, signal);
      }
    }
  }

  async function changeOwn(next: (job: ImageJob) => ImageJob): Promise<void> {
    const written = await change(
      tenant,
      id,
      (job) => {
        checkFence(job, fence);
        return next(job);
      },
      current,
    );
    if (!written) throw new AppError('already_terminal', { detail: 'The record is gone.' });
    // Images of one job change it at the same time and their answers may overtake each other.
    if (written.version > current.version) current = written;
    // The wish to cancel also stands in the record, in case its message was lost.
    if (current.cancelRequestedAt !== undefined) canceled.abort('canceled' satisfies StopReason);
  }

  return {
    get job() {
      return current;
    },
    signal,
    change: (next) => untilStored(() => changeOwn(next)),
    async openAttempt(kind, index, stage, nowMs, model) {
      let no: number | null = null;
      await changeOwn((job) => {
        no = null;
        if (kind === 'generate' && hasImage(job, index)) return job;
        no = nextAttemptNo(job.attempts);
        const row: Attempt = {
          no,
          kind,
          index,
          state: 'calling',
          fence,
          startedAt: nowMs,
          ...(model ? { model } : {}),
        };
        const entered = enterStage(job, stage, nowMs);
        return { ...touch(entered, nowMs), attempts: addAttempt(job.attempts, row) };
      });
      return no;
    },
    async moveAttempt(no, patch, also = (job) => job) {
      await untilStored(() =>
        changeOwn((job) => also({ ...job, attempts: patchAttempt(job.attempts, no, patch) })),
      );
    },
  };
}
