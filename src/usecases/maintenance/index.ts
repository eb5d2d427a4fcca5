import type { ImageJob, Retention } from '../../domain/image-job.ts';
import type {
  AuditLog,
  CircuitBreaker,
  Clock,
  Deliveries,
  DeliveryQueues,
  HeldCounters,
  ImageStorage,
  JobQueue,
  JobStore,
  Log,
  MoneyMeter,
  TaskQueue,
  WebhookEvents,
} from '../../domain/ports.ts';
import type { ExpireJob } from '../jobs/expire-job.ts';
import type { ReportThresholds } from '../jobs/report-thresholds.ts';
import type { UpdateJob } from '../jobs/update-job.ts';
import { createCheckReadiness } from './check-readiness.ts';
import { createCompareHolds } from './compare-holds.ts';
import { createReconcile } from './reconcile.ts';
import { createReportStatus, type StatusDeps } from './report-status.ts';
import { createResumeProvider } from './resume-provider.ts';
import { createSweep } from './sweep.ts';

/** Everything that maintenance needs. */
export interface MaintenanceDeps {
  readonly records: JobStore;
  readonly events: WebhookEvents;
  readonly deliveries: Deliveries;
  readonly deliveryQueues: DeliveryQueues;
  readonly jobQueue: JobQueue;
  readonly webhookQueue: TaskQueue;
  readonly storage: ImageStorage;
  readonly breaker: CircuitBreaker;
  readonly updateJob: UpdateJob;
  readonly expireJob: ExpireJob;
  readonly reportThresholds: ReportThresholds;
  readonly heldCounters: HeldCounters;
  readonly meter: MoneyMeter;
  /** Checks every Redis connection by a write, and the settings of Redis. */
  readonly checkStore: () => Promise<void>;
  /** Checks that accepted jobs survive the end of the Redis process. */
  readonly checkDurability: () => Promise<{ ok: boolean; detail: string | null }>;
  /** Checks that the store has room for new work. */
  readonly checkMemory: () => { ok: boolean; detail: string | null };
  /** Checks the spool. Absent in processes that make no provider calls. */
  readonly checkSpool?: (() => Promise<void>) | undefined;
  readonly isDraining: () => boolean;
  readonly retentionOf: (job: ImageJob) => Retention;
  /** Retention of ended deliveries. */
  readonly deliveryLogMs: number;
  /** Archives the ledger of a tenant. */
  readonly archiveTenant: (tenant: string) => Promise<void>;
  /** Further dependencies of the status of the deployment. */
  readonly status: Omit<
    StatusDeps,
    'jobQueue' | 'breaker' | 'storage' | 'clock' | 'checkStore' | 'checkDurability' | 'checkMemory'
  >;
  /** Whether a text names a circuit breaker that can exist. */
  readonly isBreakerScope: (scope: string) => boolean;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Builds the verbs of maintenance. */
export function createMaintenance(deps: MaintenanceDeps) {
  const { records, events, deliveries, deliveryQueues, jobQueue, webhookQueue } = deps;
  const { storage, breaker, updateJob, expireJob, clock, log } = deps;
  const { checkStore, checkDurability, checkMemory } = deps;
  const checks = { checkStore, checkDurability, checkMemory };
  return {
    reconcile: createReconcile({ records, events, deliveryQueues, jobQueue, webhookQueue, clock, log }),
    /** Compares the counters of held money with the records. */
    compareHolds: createCompareHolds({
      ...{ records, heldCounters: deps.heldCounters, meter: deps.meter, clock, log },
    }),
    sweep: createSweep({
      records,
      updateJob,
      deliveries,
      events,
      storage,
      expireJob,
      reportThresholds: deps.reportThresholds,
      clock,
      log,
      retentionOf: deps.retentionOf,
      deliveryLogMs: deps.deliveryLogMs,
      archiveTenant: deps.archiveTenant,
    }),
    checkReadiness: createCheckReadiness({
      ...{ ...checks, storage, breaker, checkSpool: deps.checkSpool, isDraining: deps.isDraining, clock },
    }),
    reportStatus: createReportStatus({ ...deps.status, ...checks, jobQueue, breaker, storage, clock }),
    resumeProvider: createResumeProvider({ breaker, isScope: deps.isBreakerScope, audit: deps.audit, clock }),
  };
}
export type Maintenance = ReturnType<typeof createMaintenance>;
