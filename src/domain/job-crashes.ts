import type { Attempt } from './attempt.ts';
import type { ImageJob } from './image-job.ts';

/**
 * The crashes of a job's workers. A prompt that crashes its worker must not do so endlessly, and a machine that dies must
 * not fail the jobs that ran on it.
 */

/** Consecutive crashes after which a job fails. */
const maxCrashesInRow = 3;
/** Crashes of any kind after which a job fails, because every crash may cost one call. */
const maxCrashes = 20;
/** Number of runs that a crash must end to count for none of their jobs: more jobs are innocent than guilty. */
const sharedCrashRuns = 3;

/**
 * Ends the run of a worker that is gone. The crash counts for the job if it ended fewer than three runs.
 *
 * @param endedRuns number of runs that ended with the worker; 0 if the worker lives and only lost its lock.
 */
export function endCrashedRun(job: ImageJob, endedRuns: number): ImageJob {
  const { leaseStartedAt, leaseWorker: _leaseWorker, ...rest } = job;
  if (leaseStartedAt === undefined || endedRuns === 0) return rest;
  const isShared = endedRuns >= sharedCrashRuns;
  return {
    ...rest,
    crashCount: (job.crashCount ?? 0) + 1,
    ...(isShared ? {} : { crashesInRow: (job.crashesInRow ?? 0) + 1 }),
  };
}

/** Whether a job must not run again, because its runs crashed their workers. */
export function hasCrashedTooOften({ crashCount = 0, crashesInRow = 0 }: ImageJob): boolean {
  return crashesInRow >= maxCrashesInRow || crashCount >= maxCrashes;
}

/** Ends the calls whose responses were lost with a worker. A response on a disk and a call with a handle stay open. */
export function loseOpenCalls(attempts: readonly Attempt[], nowMs: number): Attempt[] {
  return attempts.map((attempt) =>
    attempt.state === 'calling' && attempt.handle === undefined
      ? { ...attempt, state: 'uncertain', error: 'worker_lost', finishedAt: nowMs }
      : attempt,
  );
}
