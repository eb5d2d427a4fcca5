import { billingOf } from '../../domain/attempt.ts';
import { type ImageJob, isChangeable, isTerminal, jobError, type Retention } from '../../domain/image-job.ts';
import { dueAt } from '../../domain/job-deadlines.ts';
import { finishIncomplete } from '../../domain/job-moves.ts';
import type { Clock, Deliveries, ImageStorage, JobStore, Log, WebhookEvents } from '../../domain/ports.ts';
import { type Turns, takeTurns } from '../../lib/take-turns.ts';
import { deleteFiles, purgeEvents, removeImages, removePreviews } from '../jobs/erase-job.ts';
import type { ExpireJob } from '../jobs/expire-job.ts';
import type { ReportThresholds } from '../jobs/report-thresholds.ts';
import type { UpdateJob } from '../jobs/update-job.ts';

interface Deps {
  records: JobStore;
  updateJob: UpdateJob;
  deliveries: Deliveries;
  events: WebhookEvents;
  storage: ImageStorage;
  expireJob: ExpireJob;
  reportThresholds: ReportThresholds;
  clock: Clock;
  log: Log;
  retentionOf: (job: ImageJob) => Retention;
  /** Archives the ledger of a tenant. */
  archiveTenant: (tenant: string) => Promise<void>;
  /** Retention of ended deliveries in the log, in milliseconds. */
  deliveryLogMs: number;
  /** Time after which it is the turn of the next tenant, in milliseconds. Default 1,000. */
  turnMs?: number;
}

/**
 * A part of the sweep. `deadlines` needs no storage: unfinished jobs, deliveries and thresholds. `retention` deletes files and
 * records of ended jobs, and archives their ledger.
 */
const sweepParts = ['deadlines', 'retention'] as const;
type SweepPart = (typeof sweepParts)[number];

/** Findings of a round of the sweeper about the storage. */
interface StorageRound {
  /** Failures since the last success. */
  failuresInRow: number;
  /** Failures of each tenant. */
  readonly failures: Map<string, number>;
  /** Tenants with jobs that stay until their lines of the ledger are archived. */
  readonly unarchived: Set<string>;
}

const pageSize = 200;
/**
 * Maximum number of storage failures of one tenant per round. Further calls wait for the next round, because each may take
 * seconds. After more failures in a row the storage is down for all tenants.
 */
const maxStorageFailures = 10;
const defaultTurnMs = 1_000;

/**
 * Applies deadlines and retention: expires queued jobs, ends jobs past their run timeout, and deletes images, records and
 * deliveries at the end of their retention. Completes erasures and reports thresholds of budgets that a crashed process left.
 * Idempotent. A job that fails to be processed stays due. The parts run separately, because a slow storage may delay
 * retention for minutes. Tenants are swept in turns, because the jobs of one may take minutes.
 */
export function createSweep(deps: Deps) {
  const { turnMs = defaultTurnMs } = deps;
  /** Number of rounds of each part. */
  const rounds = { deadlines: 0, retention: 0 };

  /** @returns false if the job has to stay until its lines of the ledger are archived. */
  async function expireOrPurge(job: ImageJob): Promise<boolean> {
    const nowMs = deps.clock();
    const retention = deps.retentionOf(job);
    if (job.status === 'queued') {
      await deps.expireJob(job);
    } else if (job.status === 'running') {
      await deps.updateJob(job, (now) =>
        now.status === 'running'
          ? finishIncomplete(now, {
              nowMs,
              retention,
              error: jobError('run_timeout', billingOf(now.attempts)),
            })
          : null,
      );
    } else if ((job.recordExpiresAt ?? Number.POSITIVE_INFINITY) <= nowMs) {
      // The deletion of the files is not recorded first, because a full Redis refuses the write and must still become empty.
      if (!job.mediaGone) await deleteFiles(deps, job);
      await purgeEvents(deps, job.tenant, job.id);
      return deps.records.remove(job);
    } else if (!job.mediaGone) {
      const isOver = (job.mediaExpiresAt ?? 0) <= nowMs;
      await (isOver ? removeImages(deps, job) : removePreviews(deps, job));
    }
    return true;
  }

  /** Processes one due job, unless that needs a storage that is down. @returns whether the job is processed. */
  async function processDueJob(job: ImageJob, storage: StorageRound): Promise<boolean> {
    // The job is skipped, because only the release that wrote it can change it.
    if (!isChangeable(job)) return false;
    // The deadline is checked again, because a worker may have started the job since it was listed.
    if ((dueAt(job) ?? Number.POSITIVE_INFINITY) > deps.clock()) return true;
    // The process that erased the job may have ended before it purged the webhooks. They do not wait for the storage.
    if (job.erasedAt !== undefined) await purgeEvents(deps, job.tenant, job.id);
    const needsStorage = isTerminal(job.status) && !job.mediaGone;
    if (needsStorage && isStorageDown(storage, job.tenant)) return false;
    const isProcessed = await expireOrPurge(job).catch((error) => {
      if (needsStorage) countFailure(storage, job.tenant);
      throw error;
    });
    if (needsStorage) storage.failuresInRow = 0;
    if (!isProcessed) storage.unarchived.add(job.tenant);
    return isProcessed;
  }

  /** Processes one listed job. @returns whether it is processed. */
  async function processListed(tenant: string, id: string, storage: StorageRound): Promise<boolean> {
    try {
      const job = await deps.records.get(tenant, id);
      return job !== null && (await processDueJob(job, storage));
    } catch (error) {
      deps.log.warn({ err: error, job_id: id }, 'due job not dealt with, it stays due');
      return false;
    }
  }

  async function* sweepTenant(tenant: string, part: SweepPart, storage: StorageRound): Turns {
    // Jobs that stay due are skipped, because they must not delay other jobs.
    for (let stillDue = 0; ; ) {
      const ids = await deps.records.dueJobs(tenant, deps.clock(), { offset: stillDue, limit: pageSize });
      const areOpen = await deps.records.areOpen(tenant, ids);
      let startedAt = performance.now();
      for (const [i, id] of ids.entries()) {
        const isOwn = areOpen[i] === (part === 'deadlines');
        if (!isOwn || !(await processListed(tenant, id, storage))) stillDue += 1;
        if (!isOwn || performance.now() - startedAt < turnMs) continue;
        yield;
        startedAt = performance.now();
      }
      if (ids.length < pageSize) return;
    }
  }

  async function* sweepLog(tenant: string): Turns {
    while ((await deps.deliveries.purge(tenant, deps.clock() - deps.deliveryLogMs)) > 0) yield;
  }

  async function* sweepPart(tenant: string, part: SweepPart, storage: StorageRound): Turns {
    yield* sweepTenant(tenant, part, storage);
    if (storage.unarchived.has(tenant)) {
      await deps.archiveTenant(tenant);
      yield* sweepTenant(tenant, part, storage);
    }
    if (part === 'retention') return;
    yield* sweepLog(tenant);
    await deps.reportThresholds(tenant);
  }

  /** Returns the tenants, beginning with another one in each round, because a storage that is down ends the round early. */
  function inSequence(tenants: readonly string[], part: SweepPart): string[] {
    const first = rounds[part]++ % Math.max(1, tenants.length);
    return [...tenants.slice(first), ...tenants.slice(0, first)];
  }

  /** @param only part of the sweep. Default: all parts. */
  return async (only?: SweepPart): Promise<void> => {
    const storage: StorageRound = { failuresInRow: 0, failures: new Map(), unarchived: new Set() };
    let fault: unknown;
    const tenants = (await deps.records.tenants()).toSorted();
    for (const part of only ? [only] : sweepParts) {
      const sweeps = inSequence(tenants, part).map((tenant) => sweepPart(tenant, part, storage));
      // A fault of one tenant ends no other sweep, because other tenants of a Redis Cluster may be on another node.
      const found = await takeTurns(sweeps);
      fault ??= found;
    }
    if (fault !== undefined) throw fault;
  };
}

const isStorageDown = ({ failuresInRow, failures }: StorageRound, tenant: string): boolean =>
  failuresInRow > maxStorageFailures || (failures.get(tenant) ?? 0) >= maxStorageFailures;

function countFailure(storage: StorageRound, tenant: string): void {
  storage.failuresInRow += 1;
  storage.failures.set(tenant, (storage.failures.get(tenant) ?? 0) + 1);
}
