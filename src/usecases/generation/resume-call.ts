import { type Attempt, isCallFor, isOpen } from '../../domain/attempt.ts';
import { type Clock, ProviderError, type Spool } from '../../domain/ports.ts';
import type { CallProvider } from './call-provider.ts';
import type { StoringAhead } from './early-upload.ts';
import type { Execution } from './job-run.ts';
import { lookAgain, type PictureOutcome } from './retry-decision.ts';

interface Deps {
  callProvider: Pick<CallProvider, 'resume'>;
  /** Makes the stored picture of an answer that is on this disk. */
  settle: (execution: Execution, attempt: Attempt, ahead?: StoringAhead) => Promise<PictureOutcome>;
  spool: Pick<Spool, 'open'>;
  clock: Clock;
}

/** How long an answer on another worker's disk is waited for before it counts as lost. */
const answerPatienceMs = 120_000;

/**
 * Goes on with the calls that earlier executions made for a picture: an answer on this disk is settled, a call with a
 * handle is asked for, one on another worker's disk is waited for. What cannot come any more is noted as lost. `null`
 * when nothing is left to wait for.
 *
 * @throws ProviderError when a call that was asked for failed
 */
export function createTakeUpCall(deps: Deps) {
  /** Settles an answer that lies on this disk. `null` when there is none, or somebody else was faster and took it away. */
  async function settleSpooled(execution: Execution, attempt: Attempt): Promise<PictureOutcome | null> {
    const { tenant, id } = execution.job;
    const key = { tenant, jobId: id, attemptNo: attempt.no };
    if (!(await deps.spool.open(key))) return null;
    try {
      return await deps.settle(execution, attempt);
    } catch (error) {
      if (error instanceof ProviderError && error.failure.kind === 'uncertain') return null;
      throw error;
    }
  }

  return async (execution: Execution, index: number): Promise<PictureOutcome | null> => {
    for (const attempt of execution.job.attempts.filter((each) => isCallFor(each, index) && isOpen(each))) {
      const settled = await settleSpooled(execution, attempt);
      if (settled) return settled;
      // Also when it was received: the disk that holds the answer may never come back.
      if (attempt.handle) {
        const ahead = await deps.callProvider.resume(execution, attempt, attempt.handle);
        return deps.settle(execution, attempt, ahead);
      }
      // The worker that paid has it on its disk and hands it in as soon as it runs again.
      const age = deps.clock() - (attempt.receivedAt ?? Number.NEGATIVE_INFINITY);
      if (attempt.state === 'received' && age < answerPatienceMs) return lookAgain;
      const state = attempt.state === 'received' ? 'wasted' : 'uncertain';
      await execution.moveAttempt(attempt.no, { state, error: 'worker_lost', finishedAt: deps.clock() });
    }
    return null;
  };
}
