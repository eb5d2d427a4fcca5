import { type Attempt, addAttempt, patchAttempt } from '../../domain/attempt.ts';
import { storageKeysOf } from '../../domain/image.ts';
import { type ImageJob, isTerminal, missingImages } from '../../domain/image-job.ts';
import {
  type Clock,
  type ImageStorage,
  type JobStore,
  type Log,
  ProviderError,
  type Spool,
  type SpoolEntry,
  type SpoolKey,
} from '../../domain/ports.ts';
import type { UpdateJob } from '../jobs/update-job.ts';
import type { FinalizeResponse } from './finalize-response.ts';
import { received } from './spool-response.ts';

interface Deps {
  records: Pick<JobStore, 'get'>;
  change: UpdateJob;
  spool: Spool;
  storage: ImageStorage;
  finalizeResponse: FinalizeResponse;
  clock: Clock;
  log: Log;
}

/**
 * Hands in the paid answers that lie on this worker's disk and that no execution is about to settle: left by an earlier
 * life of the worker, or overtaken while it was paused. Images whose jobs still want them are entered, whoever runs
 * these jobs now; the rest is counted as wasted. Repeatable.
 */
export function createRecoverSpooledResponses(deps: Deps) {
  async function recoverSpooled({ key, format }: SpoolEntry, signal: AbortSignal): Promise<void> {
    const job = await deps.records.get(key.tenant, key.jobId);
    const attempt = job?.attempts.find((each) => each.no === key.attemptNo);
    if (job?.erasedAt !== undefined) return purge(job, key);
    // Only a release that knows the format can decode the response.
    if (format === 'unknown' && job) return;
    if (job && !attempt && !isTerminal(job.status)) return restoreRow(key);
    if (!job || !attempt || isFinalized(attempt)) return deps.spool.remove(key);
    if (isHeldBy(job, attempt)) return recordReceived(key);
    if (await deps.finalizeResponse(job, attempt, signal)) {
      deps.log.info({ job_id: job.id, attempt: attempt.no }, 'paid answer of an earlier run handed in');
    }
  }

  /** Bytes go before the answer, which is the last trace of them: it may have been stored just before its job was erased. */
  async function purge(job: ImageJob, key: SpoolKey): Promise<void> {
    for (const storageKey of storageKeysOf(job)) await deps.storage.remove(storageKey);
    await deps.spool.remove(key);
  }

  /**
   * Notes that an answer is here, where the death of this worker came between the answer and its row. Whoever takes the
   * job over would pay again for a call that still looks as if it brought nothing.
   */
  async function recordReceived(key: SpoolKey): Promise<void> {
    const response = await deps.spool.open(key);
    if (!response || response.format === 'unknown') return;
    const row = received(response.head, deps.clock());
    await deps.change(key.tenant, key.jobId, (job) => {
      const attempt = job.attempts.find((each) => each.no === key.attemptNo);
      if (attempt?.state !== 'calling' || !isHeldBy(job, attempt)) return null;
      return { ...job, attempts: patchAttempt(job.attempts, attempt.no, row) };
    });
  }

  /**
   * Enters a row that the store has lost, as in the last second before another master took over: what it says of money
   * lies here. All images of a job are asked for alike, so the answer fits any place that is empty.
   */
  async function restoreRow(key: SpoolKey): Promise<void> {
    const response = await deps.spool.open(key);
    if (!response || response.format === 'unknown') return;
    const nowMs = deps.clock();
    const row = { no: key.attemptNo, kind: 'generate', fence: 0, startedAt: nowMs } as const;
    await deps.change(key.tenant, key.jobId, (job) => {
      const isThere = job.attempts.some((each) => each.no === key.attemptNo);
      if (isThere || isTerminal(job.status)) return null;
      const index = missingImages(job)[0] ?? 0;
      return {
        ...job,
        attempts: addAttempt(job.attempts, { ...row, index, ...received(response.head, nowMs) }),
      };
    });
  }

  return async (signal: AbortSignal): Promise<void> => {
    for await (const entry of deps.spool.list()) {
      if (signal.aborted) return;
      await recoverSpooled(entry, signal).catch((error) => {
        if (error instanceof ProviderError) return; // no image in it; its file is gone
        deps.log.warn({ err: error, job_id: entry.key.jobId }, 'paid answer not handed in yet, trying again');
      });
    }
  };
}

/** A row that was given up because its worker did not come back waits for its answer all the same: here it is. */
const isFinalized = ({ state, error }: Attempt) =>
  ['stored', 'wasted', 'unusable'].includes(state) && error !== 'worker_lost';

/** Whether the execution that paid still owns the job: then it settles the answer itself, or its successor does. */
const isHeldBy = (job: ImageJob, attempt: Attempt) =>
  job.leaseStartedAt !== undefined && attempt.fence === job.fence && !isTerminal(job.status);
