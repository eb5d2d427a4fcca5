import type { UsageGroup, UsageGrouping, UsageLabels } from '../usage.ts';

/** Ports to usage counters and to the archive of the ledger. */

/** The counters of usage. The store changes them in the same step as the record of a job, see `usageOf`. */
export interface UsageCounters {
  /**
   * Returns the row for jobs with these labels, and creates it. If the tenant has as many rows as allowed, the metadata
   * becomes `other`, and then the model too.
   *
   * @throws AppError `store_unavailable`
   */
  rowOf(tenant: string, labels: UsageLabels): Promise<number>;
  /**
   * Reads the usage of a range of days in groups, as lists that follow each other: by day there may be a list for each day.
   * A list that did not change since an earlier read may be the same object, so that a caller can keep what it made of it.
   *
   * @param options.toDay exclusive.
   */
  read(
    tenant: string,
    options: { readonly fromDay: number; readonly toDay: number; readonly grouping: UsageGrouping },
  ): Promise<readonly (readonly UsageGroup[])[]>;
  /** Removes the counters of a range of days, and of the months that end in it. `toDay` is exclusive. */
  purge(tenant: string, fromDay: number, toDay: number): Promise<void>;
}

/** Days since 1970 up to which data is purged. */
export interface PurgedDays {
  /** First day whose lines are not purged from the archive. Absent before the first purge of this release. */
  readonly ledgerEnd?: number | undefined;
  /** First day whose counters of usage are not purged. Absent before the first purge of this release. */
  readonly usageEnd?: number | undefined;
  /** Day of the last purge; absent before the first one. */
  readonly purgedDay?: number | undefined;
}

/** Ended jobs whose lines of the ledger are not archived, and the state of the archive. A job in this index is not removed. */
export interface UnarchivedJobs {
  /** Returns a page of ids by rank, the job that changed first at the start. */
  list(tenant: string, page: { readonly offset: number; readonly limit: number }): Promise<string[]>;
  /**
   * Returns the ids of all jobs whose lines may not be archived in their newest version: those in the index, and the
   * unfinished ones. A job that is one of them during the whole call is never missing.
   */
  liveIds(tenant: string): Promise<string[]>;
  /** Time of the oldest change of a line that is not archived; `null` if there is none. */
  oldestMs(tenant: string): Promise<number | null>;
  /** Removes jobs from the index whose records still have these versions. */
  markArchived(
    tenant: string,
    jobs: readonly { readonly id: string; readonly version: number }[],
  ): Promise<void>;
  /** Adds the jobs that earlier releases recorded, once for each tenant. */
  addEarlierReleases(tenant: string): Promise<void>;
  /** Returns how far the archive and the counters of usage are purged. */
  purged(tenant: string): Promise<PurgedDays>;
  setPurged(tenant: string, purged: Required<PurgedDays>): Promise<void>;
  /** Becomes the only writer of the tenant's archive for two minutes. @returns the release, or `null` if another writes. */
  lock(tenant: string): Promise<(() => Promise<void>) | null>;
}
