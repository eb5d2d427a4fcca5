import { type ArchivedLine, type LedgerLine, ledgerLinesOf, viewLedgerLine } from '../../domain/ledger.ts';
import type { JobStore, Log, UnarchivedJobs } from '../../domain/ports.ts';
import type { LedgerArchive } from './ledger-archive.ts';

interface Deps {
  records: Pick<JobStore, 'get'>;
  unarchived: Pick<UnarchivedJobs, 'liveIds'>;
  archive: Pick<LedgerArchive, 'read'>;
  log: Log;
}

/** Period of a query, in milliseconds. `toMs` is exclusive. */
export interface LedgerRange {
  readonly fromMs: number;
  readonly toMs: number;
}

const concurrentReads = 50;

/**
 * Reads the lines whose calls began in a period, each line once in its newest version. The lines of archived jobs come
 * first, hour by hour. The lines of other jobs follow, by job.
 */
export function createReadLedger(deps: Deps) {
  async function* archived(
    tenant: string,
    { fromMs, toMs }: LedgerRange,
    isWanted: (jobId: string) => boolean,
  ): AsyncGenerator<ArchivedLine> {
    for await (const line of deps.archive.read(tenant, fromMs, toMs)) {
      if (isWanted(line.job_id)) yield line;
    }
  }

  /** Reads records and adds the ids of those that are gone to `gone`. */
  async function* live(
    tenant: string,
    ids: readonly string[],
    gone: Set<string>,
  ): AsyncGenerator<ArchivedLine> {
    for (let i = 0; i < ids.length; i += concurrentReads) {
      const some = ids.slice(i, i + concurrentReads);
      const jobs = await Promise.all(
        some.map((id) =>
          deps.records.get(tenant, id).catch((error) => {
            deps.log.error(
              { err: error, tenant, job_id: id },
              'job not in the ledger, its record cannot be read',
            );
            return undefined;
          }),
        ),
      );
      for (const [at, job] of jobs.entries()) {
        if (job) yield* ledgerLinesOf(job);
        else if (job === null) gone.add(some[at] ?? '');
      }
    }
  }

  return async function* readLedger(tenant: string, range: LedgerRange): AsyncGenerator<LedgerLine> {
    const ids = await deps.unarchived.liveIds(tenant);
    const liveJobs = new Set(ids);
    for await (const line of archived(tenant, range, (id) => !liveJobs.has(id))) yield viewLedgerLine(line);
    const gone = new Set<string>();
    for await (const line of live(tenant, ids, gone)) {
      const at = Date.parse(line.at);
      if (at >= range.fromMs && at < range.toMs) yield viewLedgerLine(line);
    }
    if (gone.size === 0) return;
    // These jobs were archived and removed while their lines were read.
    for await (const line of archived(tenant, range, (id) => gone.has(id))) yield viewLedgerLine(line);
  };
}
export type ReadLedger = ReturnType<typeof createReadLedger>;
