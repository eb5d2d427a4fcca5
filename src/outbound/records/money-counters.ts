import { type WindowName, windowNamesAt } from '../../domain/budget-window.ts';
import { type ImageJob, isTerminal } from '../../domain/image-job.ts';
import { spentOf } from '../../domain/job-money.ts';
import type { Keys } from './keys.ts';
import type { CounterEntry, IndexEntry } from './projection.ts';

/**
 * The hash `{tenant}:spend` has two fields for each owner and window: `OWNER.WINDOW.held` and `OWNER.WINDOW.spent`, in
 * micro-USD. An owner is `t` (the tenant) or the id of a key. A window is `dDAY`, `wDAY`, `mDAY` or `total`: the day, week and
 * month that accepted the job by their first UTC day since 1970. Every job counts in all of them, so a new budget knows the
 * past, a cap reads two fields, and no counter is ever reset.
 */

/** Returns the name of an owner in the fields: the id of a key, or the tenant. */
export const ownerOf = (keyId: string | undefined): string => keyId ?? 't';

/** Returns the name of a counter. */
export const fieldOf = (owner: string, windowName: WindowName, measure: 'held' | 'spent'): string =>
  `${owner}.${windowName}.${measure}`;

/** Returns the owners of a job's money. */
export const ownersOf = ({ keyId }: Pick<ImageJob, 'keyId'>): readonly string[] =>
  keyId === undefined ? [ownerOf(undefined)] : [ownerOf(undefined), ownerOf(keyId)];

/** Returns the money that a job adds to the counters of its owners. */
export function moneyCounters(keys: Keys, job: ImageJob): CounterEntry[] {
  return entriesOf(keys, job, { held: job.hold ?? 0, spent: spentOf(job) });
}

/** Returns the change of the counters by which the hold of a job becomes spent. */
export function unsettledAsSpent(keys: Keys, job: ImageJob): CounterEntry[] {
  const { hold = 0 } = job;
  return entriesOf(keys, job, { held: -hold, spent: hold });
}

function entriesOf(
  keys: Keys,
  job: Pick<ImageJob, 'tenant' | 'keyId' | 'createdAt'>,
  amounts: { readonly held: number; readonly spent: number },
): CounterEntry[] {
  const changed = (['held', 'spent'] as const).filter((measure) => amounts[measure] !== 0);
  if (changed.length === 0) return [];
  const key = keys.spend(job.tenant);
  const names = windowNamesAt(job.createdAt);
  return ownersOf(job).flatMap((owner) =>
    names.flatMap((name) =>
      changed.map((measure) => ({ key, field: fieldOf(owner, name, measure), amount: amounts[measure] })),
    ),
  );
}

/** Returns the entry in the index of ended jobs with a charge that is not settled, by the time of creation. */
export function unsettledJob(keys: Keys, job: ImageJob): IndexEntry[] {
  const isUnsettled = isTerminal(job.status) && (job.hold ?? 0) > 0;
  return isUnsettled ? [{ key: keys.unsettled(job.tenant), score: job.createdAt }] : [];
}
