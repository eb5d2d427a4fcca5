import { Redis } from 'ioredis';
import { ids } from '../../src/lib/ids.ts';
import { queueNames } from '../../src/outbound/queue/queue-names.ts';
import { createScheduleKeys } from '../../src/outbound/queue/schedule/lua.ts';
import { createRegisterSlots } from '../../src/outbound/queue/schedule/register-slots.ts';
import { createScheduleTasks, type Scheduled } from '../../src/outbound/queue/schedule/schedule-tasks.ts';
import { describeMachine } from '../harness/machine.ts';
import type { Outcome, Program, RunOptions } from '../harness/program.ts';
import { type BenchRedis, startBenchRedis } from '../harness/redis.ts';
import { measureInRounds, type Variant } from '../harness/rounds.ts';
import { figure, table, times } from '../harness/table.ts';

const waitingJobs = 20_000;
const manyTenants = 1_000;
const jobsPerRound = 20_000;
const jobsPerCall = 20;
/** Limit of the cost with many tenants, relative to one tenant. It is the resolution of the measurement. */
const flatRatio = 1.2;

type Figure = 'Node us' | 'Redis us';
const figures: readonly Figure[] = ['Node us', 'Redis us'];

/** Measures whether the cost to schedule a job grows with the number of tenants that have waiting jobs. */
export const turns: Program = {
  name: 'turns',
  title: 'calls of the schedule in one process, per job, with 20,000 waiting jobs',
  run,
};

async function run(options: RunOptions): Promise<Outcome> {
  const redis = await startBenchRedis(options.closers, options.say);
  const variants: Variant<Figure>[] = [];
  for (const [name, tenants] of [
    ['one tenant', 1],
    ['one tenant again', 1],
    ['1,000 tenants', manyTenants],
  ] as const) {
    const keyPrefix = name.replaceAll(/[ ,]/g, '-');
    const schedule = await openSchedule(redis, keyPrefix, options);
    const source = createJobs(tenants);
    for (let count = 0; count < waitingJobs; count += 500) {
      await schedule({ added: Array.from({ length: 500 }, source), maxTasks: 0 });
    }
    variants.push({ name, measure: () => measure(redis, schedule, source) });
  }
  options.say('warming up');
  for (const variant of variants) await variant.measure();
  const results = await measureInRounds(variants, options);
  const rows = results.names.map((name) => [
    name,
    ...figures.map((each) => figure(results.median(name, each))),
    ...figures.map((each) => times(results.ratio(name, 'one tenant', each))),
  ]);
  return {
    tables: [
      describeMachine(redis.version, Date.now()),
      table(['per job', ...figures, ...figures.map((each) => `${each}, ratio`)], rows),
    ],
    controls: figures.map((each) => ({
      what: `one tenant in two queues, ${each}`,
      ratio: results.ratio('one tenant again', 'one tenant', each),
    })),
    goals: figures.map((each) => ({
      what: `1,000 tenants by one, ${each}`,
      value: results.ratio('1,000 tenants', 'one tenant', each),
      sense: 'at most',
      limit: flatRatio,
      unit: 'x',
    })),
  };
}

type Schedule = ReturnType<typeof createScheduleTasks>;

/** Opens an empty schedule with slots for all jobs of a call. */
async function openSchedule(
  redis: BenchRedis,
  keyPrefix: string,
  { closers }: RunOptions,
): Promise<Schedule> {
  const client = closers.add(new Redis(redis.path), (each) => each.disconnect());
  const keys = createScheduleKeys(queueNames(keyPrefix).jobs);
  await createRegisterSlots(client, keys)('bench', jobsPerCall, 24 * 3_600_000);
  return createScheduleTasks(client, keys);
}

type Source = () => { readonly id: string; readonly tenant: string; readonly priority: 'normal' };

/** Returns a source of jobs of the tenants in turns. */
function createJobs(tenants: number): Source {
  let [next, nowMs] = [0, Date.now()];
  return () => {
    next += 1;
    nowMs += 1;
    return { id: ids.job(nowMs), tenant: `tenant${next % tenants}`, priority: 'normal' };
  };
}

/**
 * Adds and schedules jobs as a relay does, some per call. Each call ends the jobs that the previous one scheduled, so the
 * number of waiting jobs stays the same. The queue library is not used, because its cost does not depend on tenants.
 */
async function measure(
  redis: BenchRedis,
  schedule: Schedule,
  source: Source,
): Promise<Record<Figure, number>> {
  const [redisBefore, nodeBefore] = [await redis.cpuMicros(), process.cpuUsage()];
  let last: Scheduled = { tasks: [], hasMore: false };
  for (let count = 0; count < jobsPerRound; count += jobsPerCall) {
    const added = Array.from({ length: jobsPerCall }, source);
    last = await schedule({ added, ended: last.tasks, maxTasks: jobsPerCall });
  }
  const { user, system } = process.cpuUsage(nodeBefore);
  await schedule({ ended: last.tasks, maxTasks: 0 });
  const redisMicros = (await redis.cpuMicros()) - redisBefore;
  return { 'Node us': (user + system) / jobsPerRound, 'Redis us': redisMicros / jobsPerRound };
}
