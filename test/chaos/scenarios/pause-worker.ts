import { setTimeout as sleep } from 'node:timers/promises';
import { type Scenario, until } from '../scenario.ts';
import { runnerOf } from './hurt.ts';

/** A worker stands still for so long that its jobs are given to others, and then goes on as if nothing had been. */
export const pauseWorker: Scenario = {
  name: 'paused',
  about: 'a worker is stopped for longer than its locks live, and resumed',
  async run(stage) {
    const { fleet, promises } = stage;
    const ordering = promises.order(stage.short ? 12 : 40, { latencyMs: [1_000, 2_000] });
    await until('an order is accepted', 30_000, () => promises.byKey.size > 0);
    const [first = ''] = promises.byKey.values();
    const worker = await runnerOf(stage, first, 30_000);
    const holds = fleet.work.heldBy(worker.pid());
    worker.pause();
    await sleep(stage.short ? 25_000 : 60_000);
    worker.resume();
    await ordering;
    await stage.drained();
    const taken = holds.filter((id) => fleet.work.runsOf(id).some((run) => run.life !== worker.pid()));
    return [{ figure: 'jobs taken over from the paused worker', found: taken.length }];
  },
};
