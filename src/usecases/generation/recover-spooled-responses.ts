import {
  type Attempt,
  addAttempt,
  isFinalized,
  isOpen,
  isResponseTo,
  patchAttempt,
  withCall,
} from '../../domain/attempt.ts';
import { storageKeysOf } from '../../domain/image.ts';
import { type ImageJob, isTerminal, missingImages } from '../../domain/image-job.ts';
import { type JobLogFields, logFieldsOf } from '../../domain/job-log-fields.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import {
  type Clock,
  type FindDecoder,
  type ImageStorage,
  type JobStore,
  type Log,
  ProviderError,
  type ProviderFailure,
  type Spent,
  type Spool,
  type SpoolEntry,
  type SpoolHead,
  type SpoolKey,
} from '../../domain/ports.ts';
import type { UpdateJob } from '../jobs/update-job.ts';
import { callCost } from './call-cost.ts';
import { withLateFailure } from './failed-attempt.ts';
import type { FinalizeResponse } from './finalize-response.ts';
import { imageCallKindOf } from './image-parameters.ts';
import { received } from './spool-response.ts';

interface Deps {
  records: Pick<JobStore, 'get'>;
  updateJob: UpdateJob;
  findDecoder: FindDecoder;
  spool: Pick<Spool, 'open' | 'remove' | 'list' | 'removeUnfinished'>;
  storage: Pick<ImageStorage, 'remove'>;
  finalizeResponse: FinalizeResponse;
  catalogue: ModelCatalogue;
  clock: Clock;
  log: Log;
}

/**
 * Recovers paid responses on this worker's disk that no run is about to finalize: left by an earlier process of the worker,
 * or overtaken while it was paused. Images that their jobs still need are recorded, whichever worker runs these jobs now.
 * The rest is recorded as wasted. A response that only another release can read stays. Repeatable.
 */
export function createRecoverSpooledResponses(deps: Deps) {
  async function recover(key: SpoolKey, head: SpoolHead, signal: AbortSignal): Promise<void> {
    const job = await deps.records.get(key.tenant, key.jobId);
    if (job && canRestore(job, key)) return restoreRow(key, head);
    const attempt = job && attemptOf(job, key, head);
    if (!attempt) return deps.spool.remove(key);
    if (isFinalized(attempt)) return job.erasedAt === undefined ? deps.spool.remove(key) : purge(job, key);
    if (isHeldBy(job, attempt)) return recordReceived(key, head);
    const isDone = await deps.finalizeResponse(job, attempt, { signal }).catch(async (error) => {
      if (!(error instanceof ProviderError) || error.failure.kind === 'uncertain') throw error;
      await recordFailure(job, attempt, { failure: error.failure, head });
      // The file comes last, because only it holds the charge until then.
      await deps.spool.remove(key);
      return false;
    });
    if (!isDone) return;
    deps.log.info({ ...logFieldsOf(job), attempt: attempt.no }, 'recovered spooled response');
    if (job.erasedAt !== undefined) await purge(job, key);
  }

  /** Removes the image before the response, which is its last trace: it may have been stored just before the erasure. */
  async function purge(job: ImageJob, key: SpoolKey): Promise<void> {
    for (const storageKey of storageKeysOf(job)) await deps.storage.remove(storageKey);
    await deps.spool.remove(key);
  }

  /**
   * Records a response that holds no image, with its cost if it reported its usage. No run can do so: the job has ended, or
   * it is run by a worker without this file.
   */
  async function recordFailure(
    job: ImageJob,
    attempt: Attempt,
    { failure, head }: { failure: ProviderFailure; head: SpoolHead },
  ): Promise<void> {
    const { kind, provider = head.provider, model = job.request?.model ?? '' } = attempt;
    const costOf = (spent: Spent) => callCost({ model, kind }, spent, deps.catalogue);
    const call = { kind, provider, model, costOf };
    const outcome = { call, failure, error: failure.code, finishedAt: deps.clock() };
    await deps.updateJob(job, (now) => {
      const { attempts, row } = withCall(now.attempts, attempt);
      return withLateFailure({ ...now, attempts }, row.no, outcome);
    });
  }

  /**
   * Records that a response is on this disk if the worker died between the response and its row. The next run would pay
   * again for a call that still looks as if it brought nothing.
   */
  async function recordReceived(key: SpoolKey, head: SpoolHead): Promise<void> {
    const row = received(head, deps.clock());
    await deps.updateJob({ tenant: key.tenant, id: key.jobId }, (job) => {
      const attempt = job.attempts.find((each) => each.no === key.attemptNo);
      if (attempt?.state !== 'calling' || !isHeldBy(job, attempt)) return null;
      return { ...job, attempts: patchAttempt(job.attempts, attempt.no, row) };
    });
  }

  /**
   * Restores a row that the store has lost, for example in the last second before a failover.
   */
  async function restoreRow(key: SpoolKey, head: Partial<SpoolHead>): Promise<void> {
    const nowMs = deps.clock();
    await deps.updateJob({ tenant: key.tenant, id: key.jobId }, (job) => {
      if (!canRestore(job, key)) return null;
      return { ...job, attempts: addAttempt(job.attempts, lostRowOf(job, key, { head, nowMs })) };
    });
  }

  /**
   * Confirms that a response exists that only another release can read, so that no worker counts it as lost and pays
   * again. An erased job needs no response in any release.
   */
  async function confirmUnreadable(key: SpoolKey): Promise<void> {
    const found = await deps.records.get(key.tenant, key.jobId);
    if (found?.erasedAt !== undefined) return purge(found, key);
    await restoreRow(key, {});
    const receivedAt = deps.clock();
    await deps.updateJob({ tenant: key.tenant, id: key.jobId }, (job) => {
      const attempt = job.attempts.find((each) => each.no === key.attemptNo);
      if (!attempt || !isOpen(attempt) || isTerminal(job.status)) return null;
      const attempts = patchAttempt(job.attempts, attempt.no, { state: 'received', receivedAt });
      return { ...job, attempts };
    });
    const names = found ? logFieldsOf(found) : keyFieldsOf(key);
    deps.log.warn({ ...names, attempt: key.attemptNo }, 'spooled response needs another release');
  }

  /**
   * Returns the attempt of a response. If the store has lost its row, and the job has ended or another call has its number,
   * returns a row for its late charge; `null` if nothing shows whether the charge was recorded before.
   */
  function attemptOf(job: ImageJob, key: SpoolKey, head: SpoolHead): Attempt | null {
    const known = job.attempts.find((each) => each.no === key.attemptNo && isResponseTo(head, each));
    if (known || head.startedAt === undefined) return known ?? null;
    const { row } = withCall(job.attempts, lostRowOf(job, key, { head, nowMs: deps.clock() }));
    // The number that names the response.
    return { ...row, no: key.attemptNo };
  }

  async function handle(entry: SpoolEntry, signal: AbortSignal): Promise<void> {
    const { key } = entry;
    if (entry.format === 'damaged') return deps.spool.remove(key);
    if (entry.format === 'unknown' || !deps.findDecoder(entry.provider)) return confirmUnreadable(key);
    const spooled = await deps.spool.open(key);
    if (spooled?.format === 'known') await recover(key, spooled.head, signal);
  }

  /** Returns the names of a job for a log line. The file holds only its id, and the store may be the reason of the line. */
  async function namesOf(key: SpoolKey): Promise<Partial<JobLogFields>> {
    const job = await deps.records.get(key.tenant, key.jobId).catch(() => null);
    return job ? logFieldsOf(job) : keyFieldsOf(key);
  }

  /** Whether a job may still need a response. An erased one must leave no bytes behind. */
  async function isWanted({ tenant, jobId }: SpoolKey): Promise<boolean> {
    const job = await deps.records.get(tenant, jobId);
    return job !== null && job.erasedAt === undefined;
  }

  return async (signal: AbortSignal): Promise<void> => {
    await deps.spool.removeUnfinished(isWanted);
    for await (const entry of deps.spool.list()) {
      if (signal.aborted) return;
      await handle(entry, signal).catch(async (error) => {
        // The file was removed by another process.
        if (error instanceof ProviderError) return;
        const fields = { err: error, ...(await namesOf(entry.key)), attempt: entry.key.attemptNo };
        deps.log.warn(fields, 'spooled response not recovered, retrying');
      });
    }
  };
}

/** Whether a response needs a new row under its number: an unfinished job is run by workers that find responses by it. */
const canRestore = (job: ImageJob, { attemptNo }: SpoolKey) =>
  !isTerminal(job.status) && job.attempts.every(({ no }) => no !== attemptNo);

/**
 * Returns the row of a call that the store has lost. All images of a job are requested alike, so a response of an earlier
 * release fits any of them.
 */
function lostRowOf(
  job: ImageJob,
  { attemptNo }: SpoolKey,
  { head, nowMs }: { readonly head: Partial<SpoolHead>; readonly nowMs: number },
): Attempt {
  return {
    no: attemptNo,
    kind: imageCallKindOf(job),
    index: head.index ?? missingImages(job)[0] ?? 0,
    fence: 0,
    // The name of an image that was stored early follows from this time.
    startedAt: head.startedAt ?? nowMs,
    ...(head.provider === undefined ? {} : { provider: head.provider }),
    ...received(head, nowMs),
  };
}

const keyFieldsOf = ({ tenant, jobId }: SpoolKey) => ({ job_id: jobId, tenant });

/** Returns whether the run that paid still owns the job. It or its successor finalizes the response. */
const isHeldBy = (job: ImageJob, attempt: Attempt) =>
  job.leaseStartedAt !== undefined && attempt.fence === job.fence && !isTerminal(job.status);
