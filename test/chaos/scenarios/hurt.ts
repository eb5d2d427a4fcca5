import { setTimeout as sleep } from 'node:timers/promises';
import type { Member } from '../fleet/member.ts';
import type { Stage } from '../scenario.ts';

/** Waits until at least so many members are up. Resolves with a random one of them. */
export async function anyUp(stage: Stage, members: readonly Member[], atLeast = 1): Promise<Member> {
  for (;;) {
    const up = members.filter((member) => member.isUp());
    if (up.length >= atLeast) return stage.random.pick(up);
    await sleep(25);
  }
}

/** Waits until a worker runs a job. Resolves with the worker. */
export async function runnerOf(stage: Stage, jobId: string, limitMs: number): Promise<Member> {
  const deadlineMs = Date.now() + limitMs;
  while (Date.now() < deadlineMs) {
    const run = stage.fleet.work.runsOf(jobId).findLast((each) => each.end === 'open');
    const runner = stage.fleet.workers.find((worker) => worker.isUp() && worker.pid() === run?.life);
    if (runner) return runner;
    await sleep(10);
  }
  throw new Error(`no worker ran ${jobId} within ${limitMs / 1000} s`);
}

/** Kills a member and restarts it in the background, like a process supervisor. */
export async function killAndRestart(stage: Stage, member: Member): Promise<void> {
  await stage.fleet.kill(member);
  void member.start();
}

/** Kills Redis and restarts it on the same data after a downtime. */
export async function interruptRedis(stage: Stage, downMs: number): Promise<void> {
  await stage.fleet.redis.kill9();
  await sleep(downMs);
  await stage.fleet.redis.restart();
}

/** Makes the storage fail for a while. */
export async function interruptStorage(stage: Stage, downMs: number): Promise<void> {
  const { storage } = stage.fleet;
  await storage.set({ kind: stage.random.pick(['refuse', 'reset', 'black-hole'] as const) });
  await sleep(downMs);
  await storage.set({ kind: 'pass' });
}
