import { AppError } from '../../domain/errors.ts';
import { type ImageJob, isTerminal, type Retention } from '../../domain/image-job.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import { finish, requestCancel } from '../../domain/job-moves.ts';
import type { Clock, JobQueue, Log } from '../../domain/ports.ts';
import { isAhead } from '../../lib/is-ahead.ts';
import type { UpdateJob } from './update-job.ts';

interface Deps {
  updateJob: UpdateJob;
  jobQueue: JobQueue;
  sleep: (ms: number) => Promise<void>;
  isDraining: () => boolean;
  clock: Clock;
  log: Log;
  retentionOf: (job: ImageJob) => Retention;
}

/** A job that the store may or may not have written. */
interface UnconfirmedSubmission {
  readonly tenant: string;
  readonly id: string;
  /** Number of checks in which the store reported that the job does not exist. */
  missed: number;
  dueMs: number;
}

const roundPauseMs = 500;
/** Delay before the next check, after each check without a job. A broken connection may still deliver the write later. */
const recheckPausesMs = [500, 1_000, 2_000, 5_000, 10_000];
const maxPauseMs = Math.max(...recheckPausesMs);
const maxConcurrentChecks = 100;
/** Maximum number of tracked submissions. Further jobs of the same outage may run although no caller can find them. */
const maxUnconfirmed = 10_000;

/**
 * Cancels a job whose submission the store did not confirm. The caller received 503 and has no key to find the job by, so
 * its images would cost money without a use.
 *
 * A hanging store applies pending commands when it resumes. A check without a response from the store therefore does not
 * count. The reconciler leaves a job that was written so late alone for some seconds.
 *
 * Best effort: a process that ends before the checks are complete cancels nothing.
 */
export function createCancelUnconfirmedJob(deps: Deps) {
  const unconfirmed = new Set<UnconfirmedSubmission>();

  /** Ends a queued job, or requests the worker of a running job to stop. Returns `null` if the job has already ended. */
  function canceled(job: ImageJob): ImageJob | null {
    if (isTerminal(job.status)) return null;
    const nowMs = deps.clock();
    if (job.status === 'running') return requestCancel(job, nowMs);
    return finish(job, 'canceled', { nowMs, retention: deps.retentionOf(job) });
  }

  async function check({
    tenant,
    id,
  }: UnconfirmedSubmission): Promise<'unavailable' | 'missing' | 'resolved'> {
    try {
      const found = await deps.updateJob({ tenant, id }, canceled);
      if (!found) return 'missing';
      await deps.jobQueue.remove(id).catch(() => false);
      deps.log.warn(
        { ...logFieldsOf(found), status: found.status },
        'unconfirmed job canceled (caller received 503)',
      );
      return 'resolved';
    } catch (error) {
      if (error instanceof AppError && error.code === 'store_unavailable') return 'unavailable';
      deps.log.error({ err: error, job_id: id }, 'unconfirmed job not canceled (caller received 503)');
      return 'resolved';
    }
  }

  function schedule(
    submission: UnconfirmedSubmission,
    finding: 'unavailable' | 'missing' | 'resolved',
  ): void {
    if (finding === 'unavailable') return;
    const pauseMs = finding === 'missing' ? recheckPausesMs[submission.missed] : undefined;
    if (pauseMs === undefined) unconfirmed.delete(submission);
    else submission.dueMs = deps.clock() + pauseMs;
    submission.missed += 1;
  }

  /** Checks every due submission, except those of tenants whose store was unavailable in this round. */
  async function checkDue(): Promise<void> {
    const unavailable = new Set<string>();
    const nowMs = deps.clock();
    const due = [...unconfirmed].filter(({ dueMs }) => !isAhead(dueMs, nowMs, maxPauseMs));
    for (let i = 0; i < due.length; i += maxConcurrentChecks) {
      const some = due.slice(i, i + maxConcurrentChecks).filter(({ tenant }) => !unavailable.has(tenant));
      await Promise.all(
        some.map(async (submission) => {
          const finding = await check(submission);
          if (finding === 'unavailable') unavailable.add(submission.tenant);
          schedule(submission, finding);
        }),
      );
    }
  }

  let isChecking = false;

  async function checkUntilDone(): Promise<void> {
    while (unconfirmed.size > 0 && !deps.isDraining()) {
      await deps.sleep(roundPauseMs);
      await checkDue();
    }
    isChecking = false;
  }

  return ({ tenant, id }: ImageJob): void => {
    if (unconfirmed.size >= maxUnconfirmed) return;
    unconfirmed.add({ tenant, id, missed: 0, dueMs: deps.clock() });
    if (isChecking) return;
    isChecking = true;
    void checkUntilDone();
  };
}
export type CancelUnconfirmedJob = ReturnType<typeof createCancelUnconfirmedJob>;
