import type { CallerPolicy } from '../../domain/access-policy.ts';
import { capsOf } from '../../domain/budget.ts';
import type { Estimate } from '../../domain/estimate.ts';
import type { ImageJob, Retention } from '../../domain/image-job.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { WaitingCallers } from '../../domain/ports/callers.ts';
import type {
  AuditLog,
  BudgetThresholds,
  CheckRoom,
  Clock,
  Deliveries,
  DestinationGuard,
  Ids,
  ImageProvider,
  ImageStorage,
  JobChanges,
  JobQueue,
  JobStore,
  Log,
  Meter,
  Signals,
  Spending,
  TaskIntake,
  TaskQueue,
  WebhookEvents,
} from '../../domain/ports.ts';
import type { Presets } from '../../domain/preset.ts';
import type { ManageUploads } from '../inputs/manage-uploads.ts';
import type { PrepareInputs } from '../inputs/prepare-inputs.ts';
import { createCancelJob } from './cancel-job.ts';
import { createCancelProviderCalls } from './cancel-provider-calls.ts';
import { createCancelUnconfirmedJob } from './cancel-unconfirmed-job.ts';
import { createEraseJob } from './erase-job.ts';
import { createEraseUpload } from './erase-upload.ts';
import { createExpireJob } from './expire-job.ts';
import { createGetEta } from './get-eta.ts';
import { createGetJob, type GetJob } from './get-job.ts';
import { createListJobs } from './list-jobs.ts';
import { createPresentJob } from './present-job.ts';
import { createPresentPreview } from './present-preview.ts';
import { createReadImage } from './read-image.ts';
import { createReportThresholds, type ReportThresholds } from './report-thresholds.ts';
import { createRetryJob } from './retry-job.ts';
import { createSettleJob } from './settle-job.ts';
import { createStreamJobEvents } from './stream-job-events.ts';
import { createStreamTenantEvents } from './stream-tenant-events.ts';
import { createSubmitJob, type SubmitJob, type SubmitPolicy, type UsageRowOf } from './submit-job.ts';
import { createSubmitOrJoin } from './submit-or-join.ts';
import { createUpdateJob, type UpdateJob } from './update-job.ts';
import { createVaryJob } from './vary-job.ts';

/** Everything that the verbs of jobs need. */
export interface JobsDeps {
  readonly records: JobStore;
  readonly changes: JobChanges;
  readonly events: WebhookEvents;
  readonly deliveries: Deliveries;
  readonly storage: ImageStorage;
  readonly jobQueue: JobQueue;
  readonly jobIntake: TaskIntake;
  readonly webhookQueue: TaskQueue;
  readonly signals: Signals;
  readonly guard: DestinationGuard;
  readonly catalogue: ModelCatalogue;
  readonly estimate: Estimate;
  readonly presets: Presets;
  /** Only in processes that call the provider. */
  readonly provider: Pick<ImageProvider, 'cancel'> | undefined;
  readonly ids: Ids;
  /** SHA-256, base64url. */
  readonly digest: (text: string) => string;
  /** A digest that only a holder of our secret can compute. */
  readonly keyedDigest: (text: string) => string;
  readonly clock: Clock;
  /** Resolves after the time. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly isDraining: () => boolean;
  readonly retentionOf: (job: ImageJob) => Retention;
  readonly linkSeconds: number;
  /** Callers that wait on a connection of any process. */
  readonly callers: WaitingCallers;
  /** Name of this process, different after every start. */
  readonly process: string;
  readonly prepareInputs: PrepareInputs;
  readonly checkRoom: CheckRoom;
  readonly uploads: Pick<ManageUploads, 'remove'>;
  readonly audit: Pick<AuditLog, 'appendErasure'>;
  readonly usageRowOf: UsageRowOf;
  readonly thresholds: BudgetThresholds;
  readonly spending: Spending;
  /** Returns the rules for the key and the tenant of a job. */
  readonly policyOf: (tenant: string, keyId: string | undefined) => Promise<CallerPolicy>;
  readonly policy: SubmitPolicy;
  readonly meter: Meter;
  readonly log: Log;
}

/** Builds the verbs of jobs. */
export function createJobs(deps: JobsDeps) {
  const { records, storage, jobQueue, signals, catalogue, clock, retentionOf, log } = deps;
  const cancelProviderCalls = createCancelProviderCalls({ provider: deps.provider, jobQueue, log });
  const { webhookQueue, meter } = deps;
  const updating = { records, webhookQueue, cancelProviderCalls, meter, log };
  const updateJob = createUpdateJob(updating);
  const expireJob = createExpireJob({ updateJob, jobQueue, clock, retentionOf });
  const getJob = createGetJob({ records, signals, expireJob, clock });
  const reportThresholds = createReportThresholds(deps);
  const submitJob = composeSubmitJob(deps, { getJob, updateJob, reportThresholds });
  const { events, deliveries, linkSeconds } = deps;
  const erasing = { records, updateJob, deliveries, events, storage, jobQueue, signals, clock, log };
  const eraseJob = createEraseJob({ ...erasing, audit: deps.audit, retentionOf });
  return {
    updateJob,
    /** The same for a change that begins a paid call: its hold must fit the budgets. */
    updateWithinBudgets: createUpdateJob({ ...updating, capsOf: capsOfJob(deps) }),
    reportThresholds,
    expireJob,
    cancelProviderCalls,
    getJob,
    getEta: createGetEta({ records, catalogue, clock }),
    submitJob,
    submitOrJoin: composeSubmitOrJoin(deps, { getJob, submitJob }),
    presentJob: createPresentJob({
      storage,
      jobQueue,
      catalogue,
      estimate: deps.estimate,
      clock,
    }),
    presentPreview: createPresentPreview({ storage, clock }),
    listJobs: createListJobs({ records, getJob, catalogue }),
    streamJobEvents: createStreamJobEvents({ getJob, signals, clock }),
    streamTenantEvents: createStreamTenantEvents({ changes: deps.changes, getJob, signals }),
    readImage: createReadImage({ records, storage, clock, linkSeconds }),
    cancelJob: createCancelJob({ updateJob, getJob, jobQueue, signals, clock, retentionOf }),
    eraseJob,
    eraseUpload: createEraseUpload({ records, uploads: deps.uploads, eraseJob }),
    settleJob: createSettleJob({ records, updateJob, appendAudit: deps.audit.appendErasure, clock }),
    retryJob: createRetryJob({ getJob, submitJob }),
    varyJob: createVaryJob({ getJob, submitJob }),
  };
}
export type Jobs = ReturnType<typeof createJobs>;

/** Returns the lookup of the budgets that a further call of a job must fit. */
function capsOfJob({ policyOf, clock }: Pick<JobsDeps, 'policyOf' | 'clock'>) {
  return async ({ tenant, keyId, createdAt }: ImageJob) =>
    capsOf(await policyOf(tenant, keyId), keyId, { acceptedAtMs: createdAt, nowMs: clock() });
}

function composeSubmitOrJoin(
  deps: JobsDeps,
  { getJob, submitJob }: { readonly getJob: GetJob; readonly submitJob: SubmitJob },
) {
  return createSubmitOrJoin({
    callers: deps.callers,
    submitJob,
    getJob,
    ids: deps.ids,
    keyedDigest: deps.keyedDigest,
    process: deps.process,
    clock: deps.clock,
    log: deps.log,
  });
}

function composeSubmitJob(
  deps: JobsDeps,
  {
    getJob,
    updateJob,
    reportThresholds,
  }: { readonly getJob: GetJob; readonly updateJob: UpdateJob; readonly reportThresholds: ReportThresholds },
) {
  const { records, jobQueue, clock, log, retentionOf } = deps;
  const cancelUnconfirmed = createCancelUnconfirmedJob({
    updateJob,
    jobQueue,
    sleep: deps.sleep,
    isDraining: deps.isDraining,
    clock,
    log,
    retentionOf,
  });
  return createSubmitJob({
    records,
    getJob,
    jobQueue,
    jobIntake: deps.jobIntake,
    webhookQueue: deps.webhookQueue,
    guard: deps.guard,
    reportThresholds,
    catalogue: deps.catalogue,
    estimate: deps.estimate,
    presets: deps.presets,
    ids: deps.ids,
    digest: deps.digest,
    keyedDigest: deps.keyedDigest,
    prepareInputs: deps.prepareInputs,
    cancelUnconfirmed,
    checkRoom: deps.checkRoom,
    usageRowOf: deps.usageRowOf,
    clock,
    policy: deps.policy,
    meter: deps.meter,
    log,
  });
}
