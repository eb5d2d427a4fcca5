import { createRandom } from '../../src/local/studio/drawing/random.ts';
import type { Fleet } from './fleet/fleet.ts';
import { createGoodCaller } from './fleet/good-caller.ts';
import { type AcceptedJobs, createAcceptedJobs } from './ledgers/accepted-jobs.ts';
import { type Comparison, compareLedgers } from './ledgers/compare.ts';
import { watchStatus } from './ledgers/status-watch.ts';
import { type Finding, type Scenario, type Stage, until } from './scenario.ts';

/** The result of one scenario. */
export interface Result {
  readonly name: string;
  readonly seconds: number;
  readonly figures: Comparison['figures'];
  readonly findings: readonly Finding[];
  /** Violations of the guarantees. */
  readonly faults: readonly string[];
  /** Durations above their limits. */
  readonly late: readonly string[];
}

interface RunOptions {
  readonly seed: string;
  readonly short: boolean;
  /** Time at which all waits end, in epoch milliseconds. */
  readonly deadlineMs: number;
  readonly log: (line: string) => void;
}

const drainLimitMs = 180_000;
const watchedJobs = 8;

/** Runs a scenario on a healthy fleet and compares the ledgers at its end. */
export async function runScenario(fleet: Fleet, scenario: Scenario, options: RunOptions): Promise<Result> {
  const startedMs = Date.now();
  const random = createRandom(`${options.seed} ${scenario.name}`);
  const caller = createGoodCaller(fleet);
  const choices = createRandom(`${options.seed} ${scenario.name} submissions`);
  // Unique, because a scenario may run twice on one fleet.
  const mark = `${scenario.name}-${startedMs.toString(36)}`;
  const accepted = createAcceptedJobs({ fleet, caller, random: choices, mark });
  const crashesBefore = fleet.crashes.length;
  const faults: string[] = [];
  const stage: Stage = {
    fleet,
    caller,
    accepted,
    random,
    seed: options.seed,
    short: options.short,
    deadlineMs: options.deadlineMs,
    log: options.log,
    drained: (limitMs = drainLimitMs) =>
      until(
        'the terminal event of every job has arrived',
        Math.min(limitMs, options.deadlineMs - Date.now()),
        () => isDrained(fleet, accepted),
      ),
  };
  const watch = watchStatus(fleet, caller, () => [...accepted.byKey.values()].slice(0, watchedJobs));
  let findings: Finding[] = [];
  try {
    findings = await scenario.run(stage);
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  }
  await fleet.heal();
  await watch.stop();
  const { figures, faults: differences } = await compareLedgers(fleet, caller, accepted);
  faults.push(
    ...differences,
    ...(scenario.losesWrites ? [] : watch.stepsBack),
    ...fleet.crashes.slice(crashesBefore),
  );
  const broken = findings.filter((finding) => finding.ok === false);
  const text = ({ figure, found, allowed }: Finding) => `${figure}: ${found}, allowed: ${allowed}`;
  faults.push(...broken.filter((finding) => !finding.timed).map(text));
  return {
    name: scenario.name,
    seconds: (Date.now() - startedMs) / 1000,
    figures,
    findings,
    faults,
    late: broken.filter((finding) => finding.timed).map(text),
  };
}

/** Job and terminal event are written atomically, so the events show whether all jobs have ended. */
function isDrained(fleet: Fleet, { byKey }: AcceptedJobs): boolean {
  return [...byKey.values()].every((id) => fleet.events.countsOf(id).size > 0);
}
