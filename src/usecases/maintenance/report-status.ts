import { isoTime } from '../../domain/iso-time.ts';
import type {
  CircuitBreaker,
  Clock,
  ImageStorage,
  JobQueue,
  ProcessStates,
  ReadStoreFigures,
  WorkerRuns,
} from '../../domain/ports.ts';
import { type SystemStatus, worstState } from '../../domain/system-status.ts';
import { isAhead } from '../../lib/is-ahead.ts';
import { type RedisDeps, redisStatus, storageStatus } from './status/dependencies.ts';
import { type OwnVersions, spoolStatus, versionsStatus } from './status/processes.ts';
import { breakersStatus } from './status/provider.ts';
import { queueStatus, webhooksStatus } from './status/queues.ts';
import { workersStatus } from './status/workers.ts';

/** Everything that the status of the deployment needs. */
export interface StatusDeps extends RedisDeps {
  readonly readFigures: ReadStoreFigures;
  readonly processStates: Pick<ProcessStates, 'list'>;
  readonly jobQueue: Pick<JobQueue, 'workers'>;
  readonly workerRuns: Pick<WorkerRuns, 'count'>;
  readonly breaker: Pick<CircuitBreaker, 'list'>;
  readonly storage: Pick<ImageStorage, 'check'>;
  /** Location of the images, without secrets. */
  readonly storageLocation: string;
  readonly versions: OwnVersions;
  readonly clock: Clock;
}

/** Lifetime of a status, so that many viewers cost no more than one. */
const cacheMs = 1_000;

/**
 * Creates the status of the whole deployment. Each part has a state of its own, and takes at most 600 ms: a broken
 * dependency leaves the others readable. Never rejects.
 */
export function createReportStatus(deps: StatusDeps) {
  let cached: { until: number; result: Promise<SystemStatus> } | undefined;

  async function report(nowMs: number): Promise<SystemStatus> {
    const figures = deps.readFigures();
    const processes = deps.processStates.list();
    // Each part handles a failure. Without a part that is still waiting, a later failure would be unhandled.
    figures.catch(() => {});
    processes.catch(() => {});
    const [queue, workers, breakers, spool, redis, storage, webhooks, versions] = await Promise.all([
      queueStatus(figures),
      workersStatus(deps, processes, nowMs),
      breakersStatus(deps.breaker, nowMs),
      spoolStatus(processes),
      redisStatus(deps),
      storageStatus(deps.storage, deps.storageLocation),
      webhooksStatus(figures, processes),
      versionsStatus(deps.versions, processes),
    ]);
    const parts = { queue, workers, circuit_breakers: breakers, spool, redis, storage, webhooks, versions };
    const state = worstState(Object.values(parts).map((part) => part.state));
    return { object: 'system_status', at: isoTime(nowMs), state, ...parts };
  }

  return (): Promise<SystemStatus> => {
    const nowMs = deps.clock();
    if (!cached || !isAhead(cached.until, nowMs, cacheMs))
      cached = { until: nowMs + cacheMs, result: report(nowMs) };
    return cached.result;
  };
}
export type ReportStatus = ReturnType<typeof createReportStatus>;
