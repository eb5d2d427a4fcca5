import { isoTime } from '../../../domain/iso-time.ts';
import type { JobQueue, WorkerRuns } from '../../../domain/ports.ts';
import type { ProcessState } from '../../../domain/process-state.ts';
import type { PartState, SystemStatus } from '../../../domain/system-status.ts';
import { ok, partOf } from './part.ts';

interface Deps {
  readonly jobQueue: Pick<JobQueue, 'workers'>;
  readonly workerRuns: Pick<WorkerRuns, 'count'>;
}

type Workers = SystemStatus['workers'];

/** Age of the last registration from which on a worker counts as dead. */
const aliveMs = 5_000;

/** Returns the status of the workers. Slots come from their registrations, and running jobs from the register of runs. */
export function workersStatus(
  { jobQueue, workerRuns }: Deps,
  processes: Promise<readonly ProcessState[]>,
  nowMs: number,
): Promise<Workers> {
  return partOf<Workers>(
    async () => {
      const [workers, states] = await Promise.all([jobQueue.workers(), processes]);
      const runs = await workerRuns.count(workers.map(({ process }) => process));
      const data = workers.map(({ process, slots, ageMs }, i) => {
        const state = states.find((each) => each.process === process);
        return {
          ...{ id: process, host: state?.host ?? null, release: state?.release ?? null },
          ...{ slots, running: runs[i] ?? 0, alive: ageMs < aliveMs },
          last_seen_at: isoTime(nowMs - ageMs),
        };
      });
      const alive = data.filter((worker) => worker.alive);
      const sum = (of: (worker: Workers['data'][number]) => number) =>
        alive.reduce((total, worker) => total + of(worker), 0);
      return {
        ...healthOf(alive.length, data.length),
        alive: alive.length,
        ...{ slots: sum(({ slots }) => slots), running: sum(({ running }) => running) },
        data: data.sort((a, b) => (a.id < b.id ? -1 : 1)),
      };
    },
    { alive: null, slots: null, running: null, data: [] },
  );
}

function healthOf(alive: number, all: number): { state: PartState; detail: string | null } {
  if (alive === 0) {
    return {
      state: 'down',
      detail: 'No process with the role worker reports, so that jobs wait. Start one.',
    };
  }
  if (alive < all) {
    return {
      state: 'degraded',
      detail: 'A worker does not report any more. Its jobs continue on other workers.',
    };
  }
  return ok;
}
