import { setTimeout as sleep } from 'node:timers/promises';
import { queryRedis } from '../../support/redis.ts';
import { keyPrefix } from '../fleet/fleet.ts';
import {
  type BudgetRace,
  createBudgetRace,
  operatorKey,
  sampleUses,
  submitAll,
  type UseSamples,
} from '../ledgers/budget-race.ts';
import { findUnknownCharges, type MoneyViews, readMoney, settleAsCharged } from '../ledgers/money.ts';
import { type Finding, type Scenario, type Stage, until } from '../scenario.ts';

const drainLimitMs = 300_000;
/** Time without a new charge after which the provider is idle, longer than any call. */
const idleMs = 3_000;
/** Time after which all processes are killed even if few charges arrived. */
const firstKillMs = 20_000;
const nextKillMs = 8_000;
const pollMs = 20;

/**
 * Kills all processes while requests race for the budgets of a key and of its tenant. The provider charges the dearest
 * quality, so that almost all of each hold is spent. Each of several seeds races in a tenant of its own, and all of them at
 * the same time, because most of the time of a run is the start of its processes.
 */
export const killUnderBudgets: Scenario = {
  name: 'money',
  about: 'kills all processes while requests race for budgets, and compares all views of the money',
  env: { ADMIN_KEY: operatorKey },
  apiCount: 5,
  async run(stage) {
    const races = await Promise.all(
      stage.seed.split(',').map((seed, no) => createBudgetRace(stage, { seed, tenant: `money-${no + 1}` })),
    );
    const count = stage.short ? 80 : 200;
    const sampling = sampleUses(stage.fleet, races);
    const killing = killAll(stage, races.length);
    const statuses = await Promise.all(races.map((race) => submitAll(race, count)));
    await killing;
    await until('every job has ended', drainLimitMs, () => hasEnded(stage, races));
    const samples = await sampling.stop();
    await untilIdle(stage);
    const findings: Finding[] = [{ figure: 'samples of the counters', found: samples.count }];
    const jobIds = new Set<string>();
    for (const [at, race] of races.entries()) {
      const settled = await settleAsCharged(stage.fleet, race.admin);
      const views = await readMoney(stage.fleet, race.admin, race.tenant);
      for (const id of views.jobIds) jobIds.add(id);
      const found = compareRace({ race, samples, settled, views, statuses: statuses[at] ?? [], count });
      findings.push(...found.map((each) => ({ ...each, figure: nameIn(races, race, each.figure) })));
    }
    const unknown = findUnknownCharges(stage.fleet, jobIds);
    return [
      ...findings,
      limited(`charges of unknown jobs ${unknown.join()}`, unknown.length, ['0', unknown.length === 0]),
    ];
  },
};

const nameIn = (races: readonly BudgetRace[], { seed }: BudgetRace, figure: string): string =>
  races.length === 1 ? figure : `${seed}: ${figure}`;

const limited = (figure: string, found: number, [allowed, ok]: [allowed: string, ok: boolean]): Finding => ({
  figure,
  found,
  allowed,
  ok,
});

function compareRace({
  race,
  samples,
  settled,
  views,
  statuses,
  count,
}: {
  race: BudgetRace;
  samples: UseSamples;
  settled: number;
  views: MoneyViews;
  statuses: readonly number[];
  count: number;
}): Finding[] {
  const of = (...wanted: number[]) => statuses.filter((status) => wanted.includes(status)).length;
  return [
    ...race.owners.map(({ name, owner, limit }) => {
      const peak = samples.peakOf(race.tenant, owner);
      return limited(`most held and spent by the ${name}`, peak, [`at most ${limit}`, peak <= limit]);
    }),
    { figure: 'requests accepted', found: of(200, 202) },
    limited('requests refused with 402', of(402), ['at least 1', of(402) > 0]),
    limited('other responses', count - of(200, 202, 402), ['0', of(200, 202, 402) === count]),
    { figure: 'jobs settled', found: settled },
    ...compareViews(views),
  ];
}

function compareViews({ faults, provider, held, possible, sums }: MoneyViews): Finding[] {
  return [
    { figure: 'charged by the provider', found: provider },
    ...Object.entries(sums).map(([view, amount]) =>
      limited(`sum of ${view}`, amount, [String(provider), amount === provider]),
    ),
    limited('held at the end', held, ['0', held === 0]),
    limited('possible in usage at the end', possible, ['0', possible === 0]),
    limited(`jobs of another amount${faults.map((each) => `; ${each}`).join('')}`, faults.length, [
      '0',
      faults.length === 0,
    ]),
  ];
}

/** Kills all processes at once, at a random moment while charges arrive, and restarts them; twice in the long form. */
async function killAll({ fleet, random, short, log }: Stage, races: number): Promise<void> {
  const after = [random.whole(1, 12 * races), random.whole(2, 14 * races)].slice(0, short ? 1 : 2);
  const delays = after.map(() => ({ killMs: random.whole(0, 400), downMs: random.whole(200, 1_500) }));
  for (const [at, { killMs, downMs }] of delays.entries()) {
    const charges = fleet.provider.charges().length + (after[at] ?? 0);
    const deadlineMs = Date.now() + (at === 0 ? firstKillMs : nextKillMs);
    while (fleet.provider.charges().length < charges && Date.now() < deadlineMs) await sleep(pollMs);
    await sleep(killMs);
    log(`kill of all processes after ${fleet.provider.charges().length} charges`);
    await Promise.all(fleet.members.map((member) => fleet.kill(member)));
    await sleep(downMs);
    await Promise.all(fleet.members.map((member) => member.start()));
  }
}

const hasEnded = ({ fleet }: Stage, races: readonly BudgetRace[]): Promise<boolean> =>
  queryRedis(fleet.redis.url, async (redis) => {
    const open = races.map(({ tenant }) => redis.zcard(`${keyPrefix}:{${tenant}}:open`));
    return (await Promise.all(open)).every((count) => count === 0);
  });

/** Waits until the provider charges nothing more. */
async function untilIdle({ fleet }: Stage): Promise<void> {
  let known = -1;
  for (let now = fleet.provider.charges().length; now !== known; now = fleet.provider.charges().length) {
    known = now;
    await sleep(idleMs);
  }
}
