import { type Attempt, patchAttempt } from '../../domain/attempt.ts';
import { type ImageJob, isChangeable, isTerminal } from '../../domain/image-job.ts';
import type { Clock, JobStore, Spool, SpoolKey } from '../../domain/ports.ts';
import type { UpdateJob } from '../jobs/update-job.ts';

interface Deps {
  records: Pick<JobStore, 'get'>;
  updateJob: UpdateJob;
  spool: Pick<Spool, 'list'>;
  clock: Clock;
}

/** Age, in milliseconds, from which on the time of a response is renewed. Most responses are stored earlier. */
const renewedAfterMs = 10_000;

/**
 * Renews the time of the received responses of unfinished jobs on the disk of this worker, which may have to wait for the
 * storage for a long time. Otherwise another worker that gets such a job would count its response as lost and pay again.
 * Repeatable.
 *
 * @returns a function that rejects with the first fault after it has tried every response.
 */
export function createRenewSpooledResponses({ records, updateJob, spool, clock }: Deps) {
  const isDue = (job: ImageJob, { state, receivedAt = 0 }: Attempt) =>
    state === 'received' && !isTerminal(job.status) && clock() - receivedAt >= renewedAfterMs;

  async function renew({ tenant, jobId, attemptNo }: SpoolKey): Promise<void> {
    const renewed = (job: ImageJob) => {
      const attempt = job.attempts.find(({ no }) => no === attemptNo);
      if (!attempt || !isChangeable(job) || !isDue(job, attempt)) return null;
      return { ...job, attempts: patchAttempt(job.attempts, attemptNo, { receivedAt: clock() }) };
    };
    const job = await records.get(tenant, jobId);
    if (job && renewed(job)) await updateJob(job, renewed, job);
  }

  return async (signal: AbortSignal): Promise<void> => {
    let fault: unknown;
    for await (const { key } of spool.list()) {
      if (signal.aborted) return;
      await renew(key).catch((error) => {
        fault ??= error;
      });
    }
    if (fault !== undefined) throw fault;
  };
}
