import { type ImageJob, isEnhancement, isTerminal } from '../../domain/image-job.ts';
import { parentsOf } from '../../domain/input-image.ts';
import { dueAt } from '../../domain/job-deadlines.ts';
import { lacksThumbnails } from '../../domain/job-thumbnails.ts';
import { ledgerMarkOf } from '../../domain/ledger.ts';
import type { Keys } from './keys.ts';
import { moneyCounters, unsettledJob } from './money-counters.ts';
import type { CounterEntry, IndexEntry, Projection, ProjectJob } from './projection.ts';
import { loadCounters } from './queue-limits.ts';
import { usageCounters } from './usage-counters.ts';

export type { CounterEntry, IndexEntry, Projection, ProjectJob };

/**
 * Derives the entries of a job. Only this function lists the entries. The scripts apply its result in the same atomic step as
 * the record. See docs/adr/0014-derive-indexes-and-counters-from-records.md.
 */
export const projectJob: ProjectJob = (keys, job) => ({
  indexes: [
    ...openJob(keys, job),
    dueJob(keys, job),
    ...unsettledJob(keys, job),
    ...unarchivedJob(keys, job),
    ...jobWithoutThumbnails(keys, job),
    ...waitingEnhancement(keys, job),
    ...searchableJob(keys, job),
  ],
  counters: [...moneyCounters(keys, job), ...loadCounters(keys, job), ...usageCounters(keys, job)],
});

/** Returns the entry in the index of unfinished jobs, by the time of the last change. */
function openJob(keys: Keys, job: ImageJob): IndexEntry[] {
  return isTerminal(job.status) ? [] : [{ key: keys.open(job.tenant), score: job.updatedAt }];
}

/** Returns the entry in the index of waiting enhancements. With the index by status it holds all waiting jobs of a tenant. */
function waitingEnhancement(keys: Keys, job: ImageJob): IndexEntry[] {
  if (!isEnhancement(job) || job.status !== 'queued') return [];
  return [{ key: keys.waitingEnhancements(job.tenant), score: 0 }];
}

/** Returns the entry in the index of all jobs, by the time at which the sweeper has to act. Infinity if never. */
function dueJob(keys: Keys, job: ImageJob): IndexEntry {
  return { key: keys.due(job.tenant), score: dueAt(job) ?? '+inf' };
}

/** Returns the entry in the index of jobs whose images lack thumbnails, by the end of the job. */
function jobWithoutThumbnails(keys: Keys, job: ImageJob): IndexEntry[] {
  if (!lacksThumbnails(job)) return [];
  return [{ key: keys.withoutThumbnails(job.tenant), score: job.finishedAt ?? job.updatedAt }];
}

/**
 * Returns the entry in the index of ended jobs whose lines of the ledger are not archived. The archive removes it. A change
 * of a line, for example by a settlement, adds it again.
 */
function unarchivedJob(keys: Keys, job: ImageJob): IndexEntry[] {
  const mark = isTerminal(job.status) ? ledgerMarkOf(job) : '';
  return mark === '' ? [] : [{ key: keys.usage(job.tenant, 'unarchived'), score: job.updatedAt, mark }];
}

/**
 * Returns the entries in the indexes of lists. All scores are equal, so ids decide the order. An erased job or an enhancement
 * has no entry and can only be read by id.
 */
function searchableJob(keys: Keys, job: ImageJob): IndexEntry[] {
  const { tenant, request, status, erasedAt } = job;
  if (erasedAt !== undefined || !request || isEnhancement(job)) return [];
  return [
    keys.jobs(tenant),
    keys.status(tenant, status),
    keys.model(tenant, request.model),
    ...Object.entries(request.metadata ?? {}).map(([key, value]) => keys.metadata(tenant, key, value)),
    ...parentsOf(job).map((id) => keys.children(tenant, id)),
  ].map((key) => ({ key, score: 0 }));
}

/** Difference between two projections, as the update script applies it. */
export interface ProjectionChange {
  readonly leave: readonly string[];
  readonly join: readonly IndexEntry[];
  readonly counters: readonly CounterEntry[];
  /** Changes of counters that only apply if their hash exists. */
  readonly purgedCounters: readonly CounterEntry[];
}

/** Returns what an update has to change in indexes and counters. */
export function compareProjections(before: Projection, after: Projection): ProjectionChange {
  const marks = new Map(before.indexes.map((entry) => [entry.key, markOf(entry)]));
  const remaining = new Set(after.indexes.map(({ key }) => key));
  const counted = new Set(before.counters.map(({ key }) => key));
  const isPurged = (entry: CounterEntry) => entry.isPurged === true && counted.has(entry.key);
  const changes = counterChanges(before.counters, after.counters);
  return {
    leave: [...marks.keys()].filter((key) => !remaining.has(key)),
    join: after.indexes.filter((entry) => marks.get(entry.key) !== markOf(entry)),
    counters: changes.filter((each) => !isPurged(each)),
    purgedCounters: changes.filter(isPurged),
  };
}

/** Returns the value whose change makes a job join an index again. */
const markOf = ({ score, mark }: IndexEntry): string | number => mark ?? score;

function counterChanges(before: readonly CounterEntry[], after: readonly CounterEntry[]): CounterEntry[] {
  const changes = new Map<string, CounterEntry>();
  const add = (entry: CounterEntry, sign: 1 | -1) => {
    const name = `${entry.key} ${entry.field}`;
    changes.set(name, { ...entry, amount: (changes.get(name)?.amount ?? 0) + sign * entry.amount });
  };
  for (const entry of before) add(entry, -1);
  for (const entry of after) add(entry, 1);
  return [...changes.values()].filter(({ amount }) => amount !== 0);
}
