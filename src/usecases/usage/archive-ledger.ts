import { type ImageJob, isTerminal } from '../../domain/image-job.ts';
import { type ArchivedLine, ledgerLinesOf } from '../../domain/ledger.ts';
import type { Clock, JobStore, Log, Meter, UnarchivedJobs, UsageCounters } from '../../domain/ports.ts';
import { utcDayOf } from '../../domain/utc-day.ts';
import type { LedgerArchive } from './ledger-archive.ts';

interface Deps {
  records: Pick<JobStore, 'get' | 'tenants'>;
  unarchived: UnarchivedJobs;
  usageCounters: Pick<UsageCounters, 'purge'>;
  archive: Pick<LedgerArchive, 'write' | 'removeDay'>;
  clock: Clock;
  meter: Pick<Meter, 'ledgerArchived'>;
  log: Log;
  policy: { readonly ledgerTtlMs: number; readonly usageTtlMs: number };
}

/** Maximum age of a change that is not archived, in milliseconds, while the storage is available. */
const maxAgeMs = 3_600_000;
const jobsPerRound = 1_000;
/** Days before the retention that are purged if it is unknown which days were purged. */
const firstPurgeDays = 31;
/** Maximum number of days that one round purges. The listing of a day takes a call to the storage. */
const maxPurgeDays = 100;

/**
 * Archives the ledger to the storage. A line may be stored twice, and is never lost: a job leaves the index of unarchived
 * jobs after its lines are durable, and its record stays until then. Safe to run in several processes.
 */
export function createArchiveLedger(deps: Deps) {
  const { records, unarchived, clock, log } = deps;

  async function readJobs(tenant: string, ids: readonly string[]): Promise<ImageJob[]> {
    const jobs: ImageJob[] = [];
    for (const id of ids) {
      const job = await records.get(tenant, id).catch((error) => {
        log.error({ err: error, tenant, job_id: id }, 'job not archived, its record cannot be read');
        return undefined;
      });
      if (job) jobs.push(job);
      // The record is gone, for example after a loss of data, so there is nothing left to archive.
      else if (job === null) await unarchived.markArchived(tenant, [{ id, version: 0 }]);
    }
    return jobs;
  }

  /** Whether the day of a line is not purged yet. Each day is purged once, so a line that is written later would stay. */
  const isRetained = ({ at }: ArchivedLine): boolean =>
    utcDayOf(Date.parse(at)) >= utcDayOf(clock() - deps.policy.ledgerTtlMs);

  /** Archives every job in the index. @returns the number of lines. */
  async function archiveAll(tenant: string): Promise<number> {
    let count = 0;
    for (let skipped = 0; ; ) {
      const ids = await unarchived.list(tenant, { offset: skipped, limit: jobsPerRound });
      if (ids.length === 0) return count;
      const jobs = await readJobs(tenant, ids);
      const ended = jobs.filter(({ status }) => isTerminal(status));
      const lines = ended.flatMap(ledgerLinesOf).filter(isRetained);
      await deps.archive.write(tenant, lines);
      // A running job leaves the index too. Its end adds it again.
      await unarchived.markArchived(tenant, jobs);
      count += lines.length;
      skipped += ids.length - jobs.length;
      if (ids.length < jobsPerRound) return count;
    }
  }

  /** Archives a tenant now. Does nothing if another process does. */
  async function archiveTenant(tenant: string): Promise<void> {
    const release = await unarchived.lock(tenant);
    if (!release) return;
    try {
      const lines = await archiveAll(tenant);
      deps.meter.ledgerArchived(lines);
      if (lines > 0) log.info({ tenant, lines }, 'ledger archived');
    } finally {
      await release();
    }
  }

  /**
   * Removes the days whose retention is over. After a retention was shortened these are many, so a call removes some of them
   * and the next one continues.
   */
  async function purge(tenant: string): Promise<void> {
    const nowMs = clock();
    const purgedDay = utcDayOf(nowMs);
    const before = await unarchived.purged(tenant);
    const days = before.purgedDay === undefined ? firstPurgeDays : purgedDay - before.purgedDay;
    const rangeUntil = (endMs: number, from = utcDayOf(endMs) - days) => ({
      from,
      to: Math.min(Math.max(from, utcDayOf(endMs)), from + maxPurgeDays),
    });
    const ledger = rangeUntil(nowMs - deps.policy.ledgerTtlMs, before.ledgerEnd);
    const usage = rangeUntil(nowMs - deps.policy.usageTtlMs, before.usageEnd);
    if (ledger.to === before.ledgerEnd && usage.to === before.usageEnd) return;
    for (let day = ledger.from; day < ledger.to; day++) await deps.archive.removeDay(tenant, day);
    await deps.usageCounters.purge(tenant, usage.from, usage.to);
    await unarchived.setPurged(tenant, { ledgerEnd: ledger.to, usageEnd: usage.to, purgedDay });
  }

  /** Archives every tenant whose oldest unarchived change is an hour old, and purges expired days. */
  async function archiveDue(): Promise<void> {
    let fault: unknown;
    for (const tenant of await records.tenants()) {
      try {
        await unarchived.addEarlierReleases(tenant);
        const oldestMs = await unarchived.oldestMs(tenant);
        if (oldestMs !== null && clock() - oldestMs >= maxAgeMs) await archiveTenant(tenant);
        await purge(tenant);
      } catch (error) {
        // The remaining tenants may be on another node of a Redis Cluster.
        fault ??= error;
      }
    }
    if (fault !== undefined) throw fault;
  }

  return { archiveTenant, archiveDue };
}
export type ArchiveLedger = ReturnType<typeof createArchiveLedger>;
