import { setTimeout as sleep } from 'node:timers/promises';
import type { Member } from '../fleet/member.ts';
import type { Stage } from '../scenario.ts';

/** A random member of these that is up; waits until so many are. */
export async function anyUp(stage: Stage, members: readonly Member[], atLeast = 1): Promise<Member> {
  for (;;) {
    const up = members.filter((member) => member.isUp());
    if (up.length >= atLeast) return stage.random.pick(up);
    await sleep(25);
  }
}

/** The worker that runs a job now; waits until there is one. */
export async function runnerOf(stage: Stage, jobId: string, limitMs: number): Promise<Member> {
  const giveUpMs = Date.now() + limitMs;
  while (Date.now() < giveUpMs) {
    const run = stage.fleet.work.runsOf(jobId).findLast((each) => each.end === 'open');
    const runner = stage.fleet.workers.find((worker) => worker.isUp() && worker.pid() === run?.life);
    if (runner) return runner;
    await sleep(10);
  }
  throw new Error(`nobody ran ${jobId} within ${limitMs / 1000} s`);
}

/** Kills a member and starts it again in the background, as whatever runs it would. */
export async function killAndRestart(stage: Stage, member: Member): Promise<void> {
  await stage.fleet.kill(member);
  void member.start();
}

/** Kills Redis, keeps it away for a while and starts it again on the same data. */
export async function redisAway(stage: Stage, awayMs: number): Promise<void> {
  await stage.fleet.redis.kill9();
  await sleep(awayMs);
  await stage.fleet.redis.restart();
}

/** Takes the storage away for a while. */
export async function storageAway(stage: Stage, awayMs: number): Promise<void> {
  const { storage } = stage.fleet;
  await storage.set({ kind: stage.random.pick(['refuse', 'reset', 'black-hole'] as const) });
  await sleep(awayMs);
  await storage.set({ kind: 'pass' });
}
