import { createRandom } from '../../src/local/studio/drawing/random.ts';
import type { Fleet } from './fleet/fleet.ts';
import { createGoodCaller } from './fleet/good-caller.ts';
import { type Comparison, compareLedgers } from './ledgers/compare.ts';
import { createPromises, type Promises } from './ledgers/guarantees.ts';
import { watchStatus } from './ledgers/status-watch.ts';
import { type Finding, type Scenario, type Stage, until } from './scenario.ts';

/** What became of one scenario. */
export interface Result {
  readonly name: string;
  readonly seconds: number;
  readonly figures: Comparison['figures'];
  readonly findings: readonly Finding[];
  /** What the rules do not allow. */
  readonly faults: readonly string[];
  /** Times that were longer than allowed. */
  readonly late: readonly string[];
}

interface RunOptions {
  readonly seed: string;
  readonly short: boolean;
  /** Epoch milliseconds at which nothing is waited for any more. */
  readonly deadlineMs: number;
  readonly say: (line: string) => void;
}

const drainLimitMs = 180_000;
const watchedJobs = 8;

/** Runs a scenario on a fleet that is whole, and compares the books at its end. */
export async function runScenario(fleet: Fleet, scenario: Scenario, options: RunOptions): Promise<Result> {
  const startedMs = Date.now();
  const random = createRandom(`${options.seed} ${scenario.name}`);
  const caller = createGoodCaller(fleet);
  const submissions = createRandom(`${options.seed} ${scenario.name} orders`);
  // Another one every time: a scenario may run twice on one fleet.
  const mark = `${scenario.name}-${startedMs.toString(36)}`;
  const promises = createPromises(fleet, caller, submissions, mark);
  const crashesBefore = fleet.crashes.length;
  const faults: string[] = [];
  const stage: Stage = {
    fleet,
    caller,
    promises,
    random,
    short: options.short,
    deadlineMs: options.deadlineMs,
    say: options.say,
    drained: (limitMs = drainLimitMs) =>
      until('the end of every job is told', Math.min(limitMs, options.deadlineMs - Date.now()), () =>
        isDrained(fleet, promises),
      ),
  };
  const watch = watchStatus(fleet, caller, () => [...promises.byKey.values()].slice(0, watchedJobs));
  let findings: Finding[] = [];
  try {
    findings = await scenario.run(stage);
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  }
  await fleet.heal();
  await watch.stop();
  const { figures, faults: differences } = await compareLedgers(fleet, caller, promises);
  faults.push(...differences, ...watch.stepsBack, ...fleet.crashes.slice(crashesBefore));
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

/** The end of a job and the event that tells of it are written in one step, so the events tell when all have ended. */
function isDrained(fleet: Fleet, { byKey }: Promises): boolean {
  return [...byKey.values()].every((id) => fleet.events.countsOf(id).size > 0);
}
