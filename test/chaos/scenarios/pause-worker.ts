import { setTimeout as sleep } from 'node:timers/promises';
import { concurrency } from '../fleet/fleet.ts';
import type { Member } from '../fleet/member.ts';
import { type Scenario, type Stage, until } from '../scenario.ts';

const intoTheCallsMs = 500;

/** Pauses a worker until other workers have taken over its jobs, and resumes it. */
export const pauseWorker: Scenario = {
  name: 'paused',
  about: 'pauses a worker for longer than its locks last, and resumes it',
  async run(stage) {
    const { fleet, accepted } = stage;
    const submitting = accepted.submit(stage.short ? 24 : 60, { latencyMs: [1_500, 2_500] });
    const worker = await busyWorker(stage);
    await sleep(intoTheCallsMs);
    const holds = fleet.work.heldBy(worker.pid());
    worker.pause();
    await sleep(stage.short ? 25_000 : 60_000);
    worker.resume();
    await submitting;
    await stage.drained();
    const takenOver = holds.filter((id) => fleet.work.runsOf(id).some((run) => run.life !== worker.pid()));
    return [
      { figure: 'jobs held by the paused worker', found: holds.length },
      { figure: 'of these taken over by others', found: takenOver.length },
    ];
  },
};

/** Waits for a worker that runs as many jobs as it can. */
async function busyWorker({ fleet }: Stage): Promise<Member> {
  const busy: Member[] = [];
  await until('a worker is busy', 60_000, () => {
    const isBusy = (worker: Member) => fleet.work.heldBy(worker.pid()).length === concurrency;
    busy.push(...fleet.workers.filter((worker) => worker.isUp() && isBusy(worker)));
    return busy.length > 0;
  });
  const [worker] = busy;
  if (!worker) throw new Error('no worker was busy');
  return worker;
}
