import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type Fleet, startFleet } from './fleet/fleet.ts';
import { report } from './report.ts';
import { type Result, runScenario } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios/index.ts';

const usage = `Injects faults into a deployment of real processes and compares the ledgers afterwards.

npm run chaos -- [scenario ...] [options]

  --seed TEXT     repeat the choices of an earlier run. The scenario money runs several seeds at the same time: a,b,c
  --minutes N     maximum duration in minutes. Default 20
  --short         the short form of every scenario
  --full          include the scenarios that take very long
  --keep          keep the folder with the logs. Default: only after a failure

Scenarios:
${scenarios.map(({ name, about, long }) => `  ${name.padEnd(16)}${about}${long ? ' (--full)' : ''}`).join('\n')}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: randomBytes(4).toString('hex') },
    minutes: { type: 'string', default: '20' },
    short: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const startedMs = Date.now();
const deadlineMs = startedMs + Number(values.minutes) * 60_000;
const log = (line: string) =>
  console.log(`${((Date.now() - startedMs) / 1000).toFixed(0).padStart(5)} s  ${line}`);

function chosen(): readonly Scenario[] {
  if (positionals.length === 0) return scenarios.filter((scenario) => values.full || !scenario.long);
  return positionals.map((name) => {
    const scenario = scenarios.find((each) => each.name === name);
    if (!scenario) throw new Error(`There is no scenario "${name}".\n\n${usage}`);
    return scenario;
  });
}

const fleets = new Set<Fleet>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    for (const fleet of fleets) await fleet.stop({ keepFolder: true });
    process.exit(1);
  });
}

async function open({ env, apiCount }: Pick<Scenario, 'env' | 'apiCount'> = {}): Promise<Fleet> {
  const fleet = await startFleet(env, apiCount);
  fleets.add(fleet);
  return fleet;
}

/** Runs the scenarios. Scenarios without own settings share one fleet. */
async function runAll(
  list: readonly Scenario[],
): Promise<{ results: Result[]; left: string[]; kept: string[] }> {
  const results: Result[] = [];
  const left: string[] = [];
  const kept: string[] = [];
  let shared: Fleet | undefined;
  const stop = async (fleet: Fleet, since: number) => {
    const keepFolder =
      values.keep || results.slice(since).some(({ faults, late }) => faults.length + late.length > 0);
    if (keepFolder) kept.push(fleet.folder);
    fleets.delete(fleet);
    await fleet.stop({ keepFolder });
  };
  try {
    for (const scenario of list) {
      if (Date.now() > deadlineMs) {
        left.push(scenario.name);
        continue;
      }
      log(`${scenario.name}: ${scenario.about}`);
      if (!scenario.env) shared = shared ?? (await open());
      const fleet = scenario.env || !shared ? await open(scenario) : shared;
      const options = {
        seed: values.seed,
        short: values.short,
        deadlineMs,
        log: (line: string) => log(`  ${line}`),
      };
      results.push(await runScenario(fleet, scenario, options));
      if (scenario.env) await stop(fleet, results.length - 1);
    }
  } finally {
    if (shared) await stop(shared, 0);
  }
  return { results, left, kept };
}

if (values.help) {
  console.log(usage);
} else {
  console.log(`seed ${values.seed}, Node ${process.version}`);
  const { results, left, kept } = await runAll(chosen());
  console.log(`\n${report(results)}`);
  if (left.length > 0) console.log(`\nNot run because the time was over: ${left.join(', ')}`);
  for (const folder of kept) console.log(`\nLogs and data: ${folder}`);
  console.log(
    `\nRepeat: npm run chaos -- ${process.argv.slice(2).includes('--seed') ? '' : `--seed ${values.seed} `}${process.argv.slice(2).join(' ')}`,
  );
  const isOk = left.length === 0 && results.every(({ faults, late }) => faults.length + late.length === 0);
  // Everything is stopped. Without this call Node 20 may loop endlessly at its end if it still has a socket of a killed
  // process.
  process.exit(isOk ? 0 : 1);
}
