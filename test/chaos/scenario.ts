import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/local/studio/drawing/random.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { GoodCaller } from './fleet/good-caller.ts';
import type { Promises } from './ledgers/guarantees.ts';

/** What a scenario has to work with. */
export interface Stage {
  readonly fleet: Fleet;
  readonly caller: GoodCaller;
  readonly promises: Promises;
  /** Choices of this scenario, the same for the same seed. */
  readonly random: Random;
  /** Whether the short form is wanted. */
  readonly short: boolean;
  /** Epoch milliseconds at which nothing is waited for any more. */
  readonly deadlineMs: number;
  /** Resolves once every job of the scenario has ended and its end was told. Rejects after the limit. */
  drained(limitMs?: number): Promise<void>;
  say(line: string): void;
}

/** What a scenario found besides the books, which are compared after every one. */
export interface Finding {
  readonly figure: string;
  readonly found: number | string;
  /** Absent for what is only told. */
  readonly allowed?: string;
  readonly ok?: boolean;
  /** Whether it is a time, which means little on a machine that is busy with other things. */
  readonly timed?: boolean;
}

/** One way of breaking things. */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** Takes too long for every day: only with --full. */
  readonly long?: boolean;
  /** Settings that need a fleet of its own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Hurts the fleet; returns when it is whole again and everything is drained. */
  run(stage: Stage): Promise<Finding[]>;
}

const lookMs = 25;

/** Waits for a condition by looking at it again and again. Rejects after the limit. */
export async function until(
  what: string,
  limitMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const giveUpMs = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > giveUpMs) throw new Error(`not within ${limitMs / 1000} s: ${what}`);
    await sleep(lookMs);
  }
}

/**
 * How long it took from the kill of a worker to the next run of each job it held. Jobs that had already ended when their
 * worker was killed are not waited for by anybody.
 */
export async function recoveryFindings(stage: Stage, limitMs: number): Promise<Finding[]> {
  const ours = new Set(stage.promises.byKey.values());
  const timesMs: number[] = [];
  for (const { jobId, killedAtMs, againAtMs } of stage.fleet.work.crashCount()) {
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
