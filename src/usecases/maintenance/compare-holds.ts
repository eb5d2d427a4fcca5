import type { ImageJob } from '../../domain/image-job.ts';
import { dayOf } from '../../domain/job-money.ts';
import type { HeldCounter, HeldCounters, HeldMoney, JobStore, Log, MoneyMeter } from '../../domain/ports.ts';

interface Deps {
  records: Pick<JobStore, 'tenants' | 'get' | 'versionOf'>;
  heldCounters: HeldCounters;
  meter: MoneyMeter;
  log: Log;
}

const maxConcurrentReads = 50;

/**
 * Compares the counters of held money with the records and repairs differences, for example after a part of the data was
 * restored. A counter is compared if none of its jobs changed meanwhile: its jobs are read before the counters, and their
 * versions again afterwards. A counter of a busy day is left for a later round.
 */
export function createCompareHolds(deps: Deps) {
  const { records, heldCounters, meter, log } = deps;

  async function compareTenant(tenant: string): Promise<void> {
    const before = await heldCounters.read(tenant);
    if (!before) return log.warn({ tenant }, 'holds not compared, because too many jobs hold money');
    const known = new Map<string, ImageJob>();
    await forEach(before.jobIds, async (id) => {
      const job = await records.get(tenant, id);
      if (job) known.set(id, job);
    });
    const money = await heldCounters.read(tenant);
    if (!money) return;
    const expected = new Map<string, number>();
    const busy = new Set<string>();
    await forEach(money.jobIds, async (id) => {
      const job = known.get(id);
      if (job && (await records.versionOf(tenant, id)) === job.version) {
        for (const name of namesOf(job)) expected.set(name, (expected.get(name) ?? 0) + (job.hold ?? 0));
      } else {
        const changed = job ?? (await records.get(tenant, id));
        for (const name of changed ? namesOf(changed) : []) busy.add(name);
      }
    });
    for (const { counter, difference } of differencesOf(money, expected, busy)) {
      if (!(await heldCounters.repair(tenant, counter, difference))) continue;
      meter.holdRepaired(difference);
      const { keyId: key_id, day } = counter;
      log.warn({ tenant, key_id, day, difference_micro_usd: difference }, 'counter of held money repaired');
    }
  }

  return async (): Promise<void> => {
    for (const tenant of await records.tenants()) {
      if (await heldCounters.acquire(tenant)) await compareTenant(tenant);
    }
  };
}

async function forEach(ids: readonly string[], work: (id: string) => Promise<void>): Promise<void> {
  for (let i = 0; i < ids.length; i += maxConcurrentReads) {
    await Promise.all(ids.slice(i, i + maxConcurrentReads).map(work));
  }
}

const nameOf = (keyId: string | undefined, day: number) => `${keyId ?? ''} ${day}`;

/** Returns the names of the counters of a day in which a job counts. */
function namesOf({ keyId, createdAt }: ImageJob): string[] {
  const day = dayOf(createdAt);
  return [nameOf(undefined, day), ...(keyId === undefined ? [] : [nameOf(keyId, day)])];
}

interface Difference {
  readonly counter: HeldCounter;
  readonly difference: number;
}

/** Returns by how much counters are too high. The total of an owner must be the sum of its days. */
function differencesOf(
  { counters }: HeldMoney,
  expected: ReadonlyMap<string, number>,
  busy: ReadonlySet<string>,
): Difference[] {
  const found = new Map(
    counters.flatMap((each) =>
      each.day === undefined ? [] : [[nameOf(each.keyId, each.day), each] as const],
    ),
  );
  const differences: Difference[] = [];
  const totals = new Map<string | undefined, number>();
  for (const name of new Set([...found.keys(), ...expected.keys()])) {
    const [owner = '', day] = name.split(' ');
    const keyId = owner === '' ? undefined : owner;
    const counter = found.get(name) ?? { keyId, day: Number(day), microUsd: 0 };
    const difference = busy.has(name) ? 0 : counter.microUsd - (expected.get(name) ?? 0);
    totals.set(keyId, (totals.get(keyId) ?? 0) + counter.microUsd - difference);
    differences.push({ counter, difference });
  }
  for (const counter of counters.filter(({ day }) => day === undefined))
    totals.set(counter.keyId, totals.get(counter.keyId) ?? 0);
  for (const [keyId, sum] of totals) {
    const counter = counters.find((each) => each.day === undefined && each.keyId === keyId) ?? {
      keyId,
      microUsd: 0,
    };
    differences.push({ counter, difference: counter.microUsd - sum });
  }
  return differences.filter(({ difference }) => difference !== 0);
}
