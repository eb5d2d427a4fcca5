import { describeMachine } from '../harness/machine.ts';
import type { Control, Goal, Outcome, Program, RunOptions } from '../harness/program.ts';
import { startBenchRedis } from '../harness/redis.ts';
import { measureInRounds, type Results, type Variant } from '../harness/rounds.ts';
import { median } from '../harness/statistics.ts';
import { figure, table, times } from '../harness/table.ts';
import { loadDarkroom, loadTutorial, type Operations } from '../parts/operations.ts';

const shallowJobs = 1_000;
const deepJobs = 200_000;
const deepestJobs = 1_000_000;
/** Number of repetitions of an operation per round. The shallow queue must last for all rounds. */
const repetitions = 30;
const goalMs = 1;
/** Limit between flat and growing costs, the depth of a tree: log2 of 1,000,000 is twice log2 of 1,000. */
const flatRatio = 2;

const operations = [
  'state',
  'position',
  'cancel',
  'list, newest',
  'list, from anywhere',
  'list, succeeded',
  'accept',
  'take',
] as const;
const promised = ['state', 'position', 'cancel'] as const;
type Operation = (typeof operations)[number];

/** Measures whether costs grow with the number of queued or stored jobs. */
export const depth: Program = {
  name: 'depth',
  title: 'calls of the adapters in one process, with many queued jobs and as many stored ones',
  run,
};

async function run(options: RunOptions): Promise<Outcome> {
  const redis = await startBenchRedis(options.closers, options.say);
  const jobs = options.full ? deepestJobs : deepJobs;
  const deep = jobs.toLocaleString('en-US');
  options.say(`filling two stores with 1,000 jobs and two with ${deep}`);
  const stores: Record<string, Operations> = {
    shallow: await loadDarkroom(redis, { keyPrefix: 'shallow', jobs: shallowJobs }, options),
    'shallow again': await loadDarkroom(redis, { keyPrefix: 'again', jobs: shallowJobs }, options),
    deep: await loadDarkroom(redis, { keyPrefix: 'deep', jobs }, options),
    'tutorial shallow': await loadTutorial(redis, { name: 'shallow', jobs: shallowJobs }, options),
    'tutorial deep': await loadTutorial(redis, { name: 'deep', jobs }, options),
  };
  const variants: Variant<Operation>[] = Object.entries(stores).map(([name, store]) => ({
    name,
    measure: () => measureStore(store),
  }));
  options.say('warming up');
  for (const variant of variants) await variant.measure();
  const results = await measureInRounds(variants, options);
  return outcomeOf(results, deep, describeMachine(redis.version, Date.now()));
}

/** Returns the median time of each operation, in milliseconds. `NaN` if the store lacks the operation. */
async function measureStore(store: Operations): Promise<Record<Operation, number>> {
  const figures: [Operation, number][] = [];
  for (const name of operations) {
    const operation = store[name];
    const timesMs: number[] = [];
    for (let count = 0; operation && count < repetitions; count += 1) {
      const startMs = performance.now();
      await operation();
      timesMs.push(performance.now() - startMs);
    }
    figures.push([name, median(timesMs)]);
  }
  return Object.fromEntries(figures) as Record<Operation, number>;
}

function outcomeOf(results: Results<Operation>, deep: string, machine: string): Outcome {
  const rows = operations.map((name) => [
    name,
    figure(results.median('shallow', name)),
    figure(results.median('deep', name)),
    times(results.ratio('deep', 'shallow', name)),
    figure(results.median('tutorial shallow', name)),
    figure(results.median('tutorial deep', name)),
    times(results.ratio('deep', 'tutorial deep', name)),
  ]);
  const head = [
    'ms per call',
    '1,000 jobs',
    `${deep} jobs`,
    'grows',
    'tutorial 1,000',
    `tutorial ${deep}`,
    'of tutorial',
  ];
  return {
    tables: [machine, table(head, rows)],
    controls: [controlOf(results)],
    goals: [
      ...promised.map(
        (name): Goal => ({
          what: `${name} with ${deep} jobs`,
          value: results.median('deep', name),
          sense: 'at most',
          limit: goalMs,
          unit: 'ms',
        }),
      ),
      ...operations.map(
        (name): Goal => ({
          what: `${name}, ${deep} jobs by 1,000`,
          value: results.ratio('deep', 'shallow', name),
          sense: 'at most',
          limit: flatRatio,
          unit: 'x',
        }),
      ),
    ],
  };
}

function controlOf(results: Results<Operation>): Control {
  return {
    what: '1,000 jobs in two stores, median of all operations',
    ratio: median(operations.map((name) => results.ratio('shallow again', 'shallow', name))),
  };
}
