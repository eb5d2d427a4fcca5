import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/local/studio/drawing/random.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { GoodCaller } from './fleet/good-caller.ts';
import type { AcceptedJobs } from './ledgers/accepted-jobs.ts';

/** The environment of a scenario. */
export interface Stage {
  readonly fleet: Fleet;
  readonly caller: GoodCaller;
  readonly accepted: AcceptedJobs;
  /** The seed of the run. A scenario may take it as a list of seeds. */
  readonly seed: string;
  /** Random choices, the same for the same seed. */
  readonly random: Random;
  /** Whether to run the short form. */
  readonly short: boolean;
  /** Time at which all waits end, in epoch milliseconds. */
  readonly deadlineMs: number;
  /** Resolves when the terminal event of every job has arrived. Rejects after the limit. */
  drained(limitMs?: number): Promise<void>;
  log(line: string): void;
}

/** A finding of a scenario beside the comparison of the ledgers. */
export interface Finding {
  readonly figure: string;
  readonly found: number | string;
  /** Absent if the figure is only informative. */
  readonly allowed?: string;
  readonly ok?: boolean;
  /** Whether the figure is a duration, which means little on a busy machine. */
  readonly timed?: boolean;
}

/** One kind of fault injection. */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** Whether the scenario takes very long and runs with --full only. */
  readonly long?: boolean;
  /** Settings that require a separate fleet. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether Redis loses confirmed writes, so that the status of a job may go back. */
  readonly losesWrites?: boolean;
  /** Number of API processes of a separate fleet. Default 2. */
  readonly apiCount?: number;
  /** Injects faults. Resolves when the fleet is healthy again and all jobs have ended. */
  run(stage: Stage): Promise<Finding[]>;
}

const pollMs = 25;

/** Polls a condition until it holds. Rejects after the limit. */
export async function until(
  what: string,
  limitMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadlineMs = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > deadlineMs) throw new Error(`not within ${limitMs / 1000} s: ${what}`);
    await sleep(pollMs);
  }
}

/**
 * Measures the time from the kill of a worker to the next run of each job of that worker. Jobs that had already ended at
 * the kill are ignored.
 */
export async function recoveryFindings(stage: Stage, limitMs: number): Promise<Finding[]> {
  const ours = new Set(stage.accepted.byKey.values());
  const timesMs: number[] = [];
  for (const { jobId, killedAtMs, againAtMs } of stage.fleet.work.interruptions()) {
    if (!ours.has(jobId)) continue;
    const job = againAtMs === null ? await stage.caller.job(jobId) : null;
    if (job?.finished_at && Date.parse(job.finished_at) <= killedAtMs) continue;
    timesMs.push(againAtMs === null ? Number.POSITIVE_INFINITY : againAtMs - killedAtMs);
  }
  const longestMs = Math.max(0, ...timesMs);
  return [
    { figure: 'runs interrupted', found: timesMs.length },
    {
      figure: 'longest time from a kill to the next run',
      found: `${(longestMs / 1000).toFixed(1)} s`,
      allowed: `${limitMs / 1000} s`,
      ok: longestMs <= limitMs,
      timed: true,
    },
  ];
}
