import type { StoreFigures } from '../../../domain/ports.ts';
import type { ProcessState } from '../../../domain/process-state.ts';
import type { SystemStatus } from '../../../domain/system-status.ts';
import { ok, partOf } from './part.ts';

const unknownTasks = { waiting: null, delayed: null, active: null };

/** Returns the status of the queue of jobs. */
export function queueStatus(figures: Promise<StoreFigures>): Promise<SystemStatus['queue']> {
  return partOf<SystemStatus['queue']>(
    async () => {
      const { queueTasks, oldestJobs } = await figures;
      const age = (state: string) => oldestJobs.find((each) => each.state === state)?.seconds ?? null;
      return {
        ...ok,
        ...tasksOf(queueTasks, 'jobs'),
        oldest_queued_s: age('queued'),
        oldest_running_s: age('running'),
      };
    },
    { ...unknownTasks, oldest_queued_s: null, oldest_running_s: null },
  );
}

/** Returns the status of the backlog of webhooks. */
export function webhooksStatus(
  figures: Promise<StoreFigures>,
  processes: Promise<readonly ProcessState[]>,
): Promise<SystemStatus['webhooks']> {
  return partOf<SystemStatus['webhooks']>(
    async () => {
      const [{ queueTasks, pendingDeliveries }, states] = await Promise.all([figures, processes]);
      const isServed = states.some(({ roles }) => roles.includes('webhooks'));
      const detail = 'No process with the role webhooks reports, so that deliveries wait. Start one.';
      return {
        ...(isServed ? ok : { state: pendingDeliveries > 0 ? 'down' : 'degraded', detail }),
        ...tasksOf(queueTasks, 'webhooks'),
        pending_deliveries: pendingDeliveries,
      };
    },
    { ...unknownTasks, pending_deliveries: null },
  );
}

function tasksOf(tasks: StoreFigures['queueTasks'], queue: string) {
  const count = (state: string) =>
    tasks.find((each) => each.queue === queue && each.state === state)?.count ?? null;
  return { waiting: count('waiting'), delayed: count('delayed'), active: count('active') };
}
