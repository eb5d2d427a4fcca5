import { type WindowName, windowNamesAt } from '../../domain/budget-window.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import type {
  Clock,
  HeldCounter,
  HeldCounters,
  HeldMoney,
  JobStore,
  Log,
  MoneyMeter,
} from '../../domain/ports.ts';
import { startOfUtcDay } from '../../domain/utc-day.ts';

interface Deps {
  records: Pick<JobStore, 'tenants' | 'get' | 'versionOf'>;
  heldCounters: HeldCounters;
  meter: MoneyMeter;
  clock: Clock;
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
    const known = new Map<string, Held>();
    await forEach(before.jobIds, async (id) => {
      const job = await records.get(tenant, id);
      if (job) known.set(id, heldBy(job));
    });
    const money = await heldCounters.read(tenant);
    if (!money) return;
    const expected = new Map<string, number>();
    const busy = new Set<string>();
    await forEach(money.jobIds, async (id) => {
      const job = known.get(id);
      if (job && (await records.versionOf(tenant, id)) === job.version) {
        for (const name of job.names) expected.set(name, (expected.get(name) ?? 0) + job.microUsd);
      } else {
        const changed = job?.names ?? namesOf(await records.get(tenant, id));
        for (const name of changed) busy.add(name);
      }
    });
    for (const { counter, difference } of differencesOf(money, expected, busy)) {
      if (!(await heldCounters.repair(tenant, counter, difference))) continue;
      meter.holdRepaired(difference);
      const { keyId: key_id, windowName: window } = counter;
      log.warn(
        { tenant, key_id, window, difference_micro_usd: difference },
        'counter of held money repaired',
      );
    }
  }

  return async (): Promise<void> => {
    for (const tenant of await records.tenants()) {
      if (!(await heldCounters.acquire(tenant))) continue;
      await heldCounters.removeOld(tenant, deps.clock());
      await compareTenant(tenant);
    }
  };
}

async function forEach(ids: readonly string[], work: (id: string) => Promise<void>): Promise<void> {
  for (let i = 0; i < ids.length; i += maxConcurrentReads) {
    await Promise.all(ids.slice(i, i + maxConcurrentReads).map(work));
  }
}

const nameOf = (keyId: string | undefined, windowName: WindowName) => `${keyId ?? ''} ${windowName}`;

/** The hold of a record. Thousands of whole records could fill the memory. */
interface Held {
  readonly version: number;
  readonly microUsd: number;
  /** Names of the counters of a day in which the job counts. */
  readonly names: readonly string[];
}

const heldBy = (job: ImageJob): Held => ({
  version: job.version,
  microUsd: job.hold ?? 0,
  names: namesOf(job),
});

/** Returns the names of the counters of a day in which a job counts; none if there is no job. */
function namesOf(job: ImageJob | null): string[] {
  if (!job) return [];
  const { keyId, createdAt } = job;
  const [day] = windowNamesAt(createdAt);
  return [nameOf(undefined, day), ...(keyId === undefined ? [] : [nameOf(keyId, day)])];
}

interface Difference {
  readonly counter: HeldCounter;
  readonly difference: number;
}

/** Returns by how much counters are too high. Every longer window of an owner must be the sum of its days. */
function differencesOf(
  { counters }: HeldMoney,
  expected: ReadonlyMap<string, number>,
  busy: ReadonlySet<string>,
): Difference[] {
  const found = new Map(counters.map((each) => [nameOf(each.keyId, each.windowName), each] as const));
  const counterOf = (name: string): HeldCounter => found.get(name) ?? { ...partsOf(name), microUsd: 0 };
  const days = new Set([...found.keys(), ...expected.keys()].filter(isDay));
  const differences: Difference[] = [];
  const sums = new Map([...found.keys()].filter((name) => !isDay(name)).map((name) => [name, 0]));
  for (const name of days) {
    const counter = counterOf(name);
    const difference = busy.has(name) ? 0 : counter.microUsd - (expected.get(name) ?? 0);
    differences.push({ counter, difference });
    const [, ...longer] = windowNamesAt(startOfUtcDay(Number(counter.windowName.slice(1))));
    for (const sum of longer.map((windowName) => nameOf(counter.keyId, windowName)))
      sums.set(sum, (sums.get(sum) ?? 0) + counter.microUsd - difference);
  }
  for (const [name, sum] of sums) {
    const counter = counterOf(name);
    differences.push({ counter, difference: counter.microUsd - sum });
  }
  return differences.filter(({ difference }) => difference !== 0);
}

const isDay = (name: string) => / d\d+$/.test(name);

function partsOf(name: string): Pick<HeldCounter, 'keyId' | 'windowName'> {
  const [keyId = '', windowName] = name.split(' ');
  return { keyId: keyId === '' ? undefined : keyId, windowName: windowName as WindowName };
}
