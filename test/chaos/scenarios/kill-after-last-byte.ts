import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { concurrency } from '../fleet/fleet.ts';
import type { Member } from '../fleet/member.ts';
import { recoveryFindings, type Scenario, type Stage } from '../scenario.ts';
import { killAndRestart } from './hurt.ts';

const quickCallsMs = [300, 600] as const;
const patienceMs = 60_000;

/**
 * Workers die the moment the last answer they wait for is on their disk, while the storage is away: nothing of what was
 * paid for may be paid for again. All places of a worker are taken then, so that no other call is under way in it.
 */
export const killAfterLastByte: Scenario = {
  name: 'after-last-byte',
  about: 'workers are killed the moment an answer is on their disk',
  async run(stage) {
    const jobs = stage.short ? 15 : 50;
    const { storage, provider } = stage.fleet;
    await storage.set({ kind: 'refuse' });
    const ids = new Set(await stage.promises.order(jobs, { latencyMs: quickCallsMs }));
    const interrupted = new Set<string>();
    for (let kills = Math.floor(jobs / concurrency); kills > 0; kills--) {
      const { worker, holds } = await fullOfAnswers(stage);
      await killAndRestart(stage, worker);
      for (const id of holds) interrupted.add(id);
    }
    await storage.set({ kind: 'pass' });
    await stage.drained();
    const calls = provider.charges().filter((charge) => ids.has(charge.jobId)).length;
    return [
      { figure: 'jobs interrupted after the last byte', found: interrupted.size },
      { figure: 'calls', found: calls, allowed: `${jobs} for ${jobs} pictures`, ok: calls === jobs },
      ...(await recoveryFindings(stage, 20_000)),
    ];
  },
};

/** A worker whose places are all taken by jobs with an answer on its disk, as soon as there is one. */
async function fullOfAnswers(stage: Stage): Promise<{ worker: Member; holds: string[] }> {
  const giveUpMs = Date.now() + patienceMs;
  while (Date.now() < giveUpMs) {
    for (const worker of stage.fleet.workers.filter((each) => each.isUp())) {
      const holds = stage.fleet.work.heldBy(worker.pid());
      if (holds.length < concurrency) continue;
      const answers = answersOn(worker);
      if (holds.every((id) => answers.has(id))) return { worker, holds };
    }
    await sleep(1);
  }
  throw new Error(`no worker was full of answers within ${patienceMs / 1000} s`);
}

function answersOn(worker: Member): ReadonlySet<string> {
  const names = readdirSync(join(worker.dataDir, 'spool')).filter((name) => name.endsWith('.answer'));
  return new Set(names.map((name) => name.split('.')[1] ?? ''));
}
