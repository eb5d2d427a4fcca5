import { type Attempt, isCallFor, isOpen } from '../../domain/attempt.ts';
import { type Clock, ProviderError, type Spool } from '../../domain/ports.ts';
import type { CallProvider } from './call-provider.ts';
import type { EarlyUpload } from './early-upload.ts';
import type { JobRun } from './job-run.ts';
import { type ImageOutcome, RETRY_LATER } from './retry-decision.ts';

interface Deps {
  callProvider: Pick<CallProvider, 'resume'>;
  /** Makes the stored image of an answer that is on this disk. */
  settle: (run: JobRun, attempt: Attempt, earlyUpload?: EarlyUpload) => Promise<ImageOutcome>;
  spool: Pick<Spool, 'open'>;
  clock: Clock;
}

/** How long an answer on another worker's disk is waited for before it counts as lost. */
const responseTimeoutMs = 120_000;

/**
 * Goes on with the calls that earlier executions made for an image: an answer on this disk is settled, a call with a
 * handle is asked for, one on another worker's disk is waited for. What cannot come any more is noted as lost. `null`
 * when nothing is left to wait for.
 *
 * @throws ProviderError when a call that was asked for failed
 */
export function createResumeCall(deps: Deps) {
  /** Settles an answer that lies on this disk. `null` when there is none, or somebody else was faster and took it away. */
  async function finalizeSpooled(run: JobRun, attempt: Attempt): Promise<ImageOutcome | null> {
    const { tenant, id } = run.job;
    const key = { tenant, jobId: id, attemptNo: attempt.no };
    const spooled = await deps.spool.open(key);
    if (!spooled) return null;
    // The response is paid. The job waits for a release that can decode it.
    if (spooled.format === 'unknown') return RETRY_LATER;
    try {
      return await deps.settle(run, attempt);
    } catch (error) {
      if (error instanceof ProviderError && error.failure.kind === 'uncertain') return null;
      throw error;
    }
  }

  return async (run: JobRun, index: number): Promise<ImageOutcome | null> => {
    for (const attempt of run.job.attempts.filter((each) => isCallFor(each, index) && isOpen(each))) {
      const settled = await finalizeSpooled(run, attempt);
      if (settled) return settled;
      // Also when it was received: the disk that holds the answer may never come back.
      if (attempt.handle) {
        const earlyUpload = await deps.callProvider.resume(run, attempt, attempt.handle);
        return deps.settle(run, attempt, earlyUpload);
      }
      // The worker that paid has it on its disk and hands it in as soon as it runs again.
      const age = deps.clock() - (attempt.receivedAt ?? Number.NEGATIVE_INFINITY);
      if (attempt.state === 'received' && age < responseTimeoutMs) return RETRY_LATER;
      const state = attempt.state === 'received' ? 'wasted' : 'uncertain';
      await run.moveAttempt(attempt.no, { state, error: 'worker_lost', finishedAt: deps.clock() });
    }
    return null;
  };
}
