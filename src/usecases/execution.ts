import { type Attempt, addAttempt, nextAttemptNo, patchAttempt } from '../domain/attempt.ts';
import { AppError } from '../domain/errors.ts';
import { checkFence, enterStage, type ImageJob, type JobStage } from '../domain/image-job.ts';
import type { StopReason } from '../domain/ports.ts';
import type { ChangeImage } from './change-image.ts';

/** One run of a job by one worker: the record as last seen, and the right to change it as long as nobody took over. */
export interface Execution {
  readonly job: ImageJob;
  /** Aborts when the run has to stop; its reason is a `StopReason`. */
  readonly signal: AbortSignal;
  /** Changes the record. @throws AppError `already_terminal` when it ended or belongs to a newer execution. */
  change(next: (job: ImageJob) => ImageJob): Promise<void>;
  /** Writes a `calling` row to the ledger together with the stage. The call must follow at once. */
  openAttempt(
    kind: Attempt['kind'],
    index: number,
    stage: JobStage,
    nowMs: number,
    model?: string,
  ): Promise<number>;
  /** Moves an attempt of the ledger on, together with any further change. */
  moveAttempt(no: number, patch: Partial<Attempt>, also?: (job: ImageJob) => ImageJob): Promise<void>;
}

/** Binds an execution to the fence that its record has now. */
export function createExecution(taken: ImageJob, change: ChangeImage, stop: AbortSignal): Execution {
  const { tenant, id, fence } = taken;
  const canceled = new AbortController();
  let current = taken;

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
    // Pictures of one job change it at the same time and their answers may overtake each other.
    if (written.version > current.version) current = written;
    // The wish to cancel also stands in the record, in case its message was lost.
    if (current.cancelRequestedAt !== undefined) canceled.abort('canceled' satisfies StopReason);
  }

  return {
    get job() {
      return current;
    },
    signal: AbortSignal.any([stop, canceled.signal]),
    change: changeOwn,
    async openAttempt(kind, index, stage, nowMs, model) {
      let no = 0;
      await changeOwn((job) => {
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
        return {
          ...enterStage(job, stage, nowMs),
          attempts: addAttempt(job.attempts, row),
          updatedAt: nowMs,
        };
      });
      return no;
    },
    async moveAttempt(no, patch, also = (job) => job) {
      await changeOwn((job) => also({ ...job, attempts: patchAttempt(job.attempts, no, patch) }));
    },
  };
}
