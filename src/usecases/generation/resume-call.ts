import { type Attempt, isCallFor, isOpen, isResponseTo } from '../../domain/attempt.ts';
import { enterStage } from '../../domain/job-moves.ts';
import { type Clock, ProviderError, type Spool } from '../../domain/ports.ts';
import type { CallProvider } from './call-provider.ts';
import type { WithEarlyUpload } from './early-upload.ts';
import type { FinalizeRun } from './finalize-run.ts';
import type { JobRun } from './job-run.ts';
import type { RecoverStoredImage } from './recover-stored-image.ts';
import { type ImageOutcome, RETRY_LATER, WAIT_FOR_RELEASE } from './retry-decision.ts';

interface Deps {
  callProvider: Pick<CallProvider, 'resume'>;
  finalizeRun: FinalizeRun;
  recoverStoredImage: RecoverStoredImage;
  withEarlyUpload: WithEarlyUpload;
  spool: Pick<Spool, 'open'>;
  /** Whether this release can decode the responses of a provider. */
  canDecode: (provider: string) => boolean;
  clock: Clock;
}

/**
 * How long a job waits for a response on another worker's disk before the response counts as lost. The wait begins when a
 * run first misses the response, and again whenever its worker renews it.
 */
const responseTimeoutMs = 120_000;

/** Whether a run is the first one after the run that received a response, and may have tried to store it for a long time. */
const isFirstMiss = ({ job }: JobRun, { state, fence }: Attempt) =>
  state === 'received' && job.fence === fence + 1;

/**
 * Resumes calls that earlier runs made for an image: finalizes a spooled response of this disk, polls a call with a handle,
 * waits for the spool of another worker, uses the image if the storage has it. Otherwise it records the call as lost.
 *
 * @returns `null` if there is nothing left to wait for.
 * @throws ProviderError if a polled call failed.
 */
export function createResumeCall(deps: Deps) {
  /** Finalizes a response on this disk. Returns `null` if there is none, or if another process finalized it first. */
  async function finalizeSpooled(run: JobRun, attempt: Attempt): Promise<ImageOutcome | null> {
    const { tenant, id } = run.job;
    const spooled = await deps.spool.open({ tenant, jobId: id, attemptNo: attempt.no });
    if (!spooled) return null;
    // The store has lost the row of that response. Recovery records it, and the job may need no other call then.
    if (spooled.format === 'known' && !isResponseTo(spooled.head, attempt)) return RETRY_LATER;
    if (spooled.format === 'unknown' || !deps.canDecode(spooled.head.provider)) {
      await run.update((job) => enterStage(job, 'storing', deps.clock()));
      return WAIT_FOR_RELEASE;
    }
    try {
      return await deps.finalizeRun(run, attempt);
    } catch (error) {
      if (error instanceof ProviderError && error.failure.kind === 'uncertain') return null;
      throw error;
    }
  }

  return async (run: JobRun, index: number): Promise<ImageOutcome | null> => {
    for (const attempt of run.job.attempts.filter((each) => isCallFor(each, index) && isOpen(each))) {
      const finalized = await finalizeSpooled(run, attempt);
      if (finalized) return finalized;
      // Poll by handle even if the state is `received`, because the disk with that response may be gone.
      if (attempt.handle) {
        const { handle } = attempt;
        return await deps.withEarlyUpload(run, async (earlyUpload) => {
          await deps.callProvider.resume(run, attempt, { handle, earlyUpload });
          return deps.finalizeRun(run, attempt, earlyUpload);
        });
      }
      // The worker that paid has the response on its disk, or may have it, and recovers it as soon as it runs again.
      const { receivedAt = attempt.arrivedAt ?? Number.NEGATIVE_INFINITY } = attempt;
      if (isFirstMiss(run, attempt)) {
        await run.updateAttempt(attempt.no, { receivedAt: deps.clock() });
        return RETRY_LATER;
      }
      if (deps.clock() - receivedAt < responseTimeoutMs) return RETRY_LATER;
      const recovered = await deps.recoverStoredImage(run, attempt);
      if (recovered) return recovered;
      const state = attempt.state === 'received' ? 'wasted' : 'uncertain';
      await run.updateAttempt(attempt.no, { state, error: 'worker_lost', finishedAt: deps.clock() });
    }
    return null;
  };
}
export type ResumeCall = ReturnType<typeof createResumeCall>;
