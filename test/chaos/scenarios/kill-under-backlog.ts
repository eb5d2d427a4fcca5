import { setTimeout as sleep } from 'node:timers/promises';
import { recoveryFindings, type Scenario, until } from '../scenario.ts';
import { anyUp, killAndRestart } from './hurt.ts';

const jobs = 1_000;
const everyMs = 6_000;
const recoversWithinMs = 20_000;
const submitLimitMs = 60_000;
/** Long enough for a backlog at every kill, short enough that slots become free all the time. */
const latencyMs = [300, 600] as const;

/** Kills random workers while a backlog waits. Interrupted jobs must not wait behind the backlog. */
export const killUnderBacklog: Scenario = {
  name: 'backlog',
  about: 'kills random workers while 1,000 jobs wait',
  async run(stage) {
    const kills = stage.short ? 2 : 6;
    await Promise.all(stage.fleet.workers.map((worker) => worker.end('SIGTERM')));
    const ids = await stage.accepted.submit(jobs, { latencyMs });
    await Promise.all(stage.fleet.workers.map((worker) => worker.start()));
    await until('workers run jobs', submitLimitMs, () =>
      stage.fleet.workers.every((worker) => stage.fleet.work.heldBy(worker.pid()).length > 0),
    );
    let unfinished = 0;
    for (let kill = 0; kill < kills; kill++) {
      if (kill > 0) await sleep(everyMs);
      await killAndRestart(stage, await anyUp(stage, stage.fleet.workers, 2));
      unfinished = ids.filter((id) => stage.fleet.events.countsOf(id).size === 0).length;
    }
    await stage.drained();
    return [
      { figure: 'unfinished jobs at the last kill', found: unfinished },
      ...(await recoveryFindings(stage, recoversWithinMs)),
    ];
  },
};
