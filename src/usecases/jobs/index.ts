import { capsOf } from '../../domain/budget.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import { createCancelJob } from './cancel-job.ts';
import { createCancelProviderCalls } from './cancel-provider-calls.ts';
import { composeSubmissions } from './compose-submissions.ts';
import { createEraseJob } from './erase-job.ts';
import { createEraseUpload } from './erase-upload.ts';
import { createExpireJob } from './expire-job.ts';
import { createGetEta } from './get-eta.ts';
import { createGetJob, type GetJob } from './get-job.ts';
import type { JobsDeps } from './jobs-deps.ts';
import { createListJobs } from './list-jobs.ts';
import { createPresentJob } from './present-job.ts';
import { createPresentPreview } from './present-preview.ts';
import { createReadImage } from './read-image.ts';
import { createReportThresholds } from './report-thresholds.ts';
import { createRetryJob } from './retry-job.ts';
import { createSettleJob } from './settle-job.ts';
import { createStreamJobEvents } from './stream-job-events.ts';
import { createStreamTenantEvents } from './stream-tenant-events.ts';
import type { SubmitJob } from './submit-job.ts';
import { createSubmitOrJoin } from './submit-or-join.ts';
import { createUpdateJob } from './update-job.ts';
import { createVaryJob } from './vary-job.ts';

/** Builds the verbs of jobs. */
export function createJobs(deps: JobsDeps) {
  const { records, storage, jobQueue, signals, catalogue, clock, retentionOf, log } = deps;
  const cancelProviderCalls = createCancelProviderCalls({ provider: deps.provider, jobQueue, log });
  const { webhookQueue, meter } = deps;
  const reportThresholds = createReportThresholds(deps);
  const money = { capsOf: capsOfJob(deps), reportThresholds };
  const updating = { records, webhookQueue, cancelProviderCalls, ...money, meter, log };
  const updateJob = createUpdateJob(updating);
  const expireJob = createExpireJob({ updateJob, jobQueue, clock, retentionOf });
  const getJob = createGetJob({ records, signals, expireJob, clock });
  const submissions = composeSubmissions(deps, { getJob, updateJob, reportThresholds });
  const { submitJob } = submissions;
  const { events, deliveries, linkSeconds } = deps;
  const erasing = { records, updateJob, deliveries, events, storage, jobQueue, signals, clock, log };
  const eraseJob = createEraseJob({ ...erasing, audit: deps.audit, retentionOf });
  return {
    updateJob,
    /** The same for a change that begins a paid call: its hold must fit the budgets. */
    updateWithinBudgets: createUpdateJob({ ...updating, mustFit: true }),
    reportThresholds,
    expireJob,
    cancelProviderCalls,
    getJob,
    getEta: createGetEta({ records, catalogue, clock }),
    ...submissions,
    submitOrJoin: composeSubmitOrJoin(deps, { getJob, submitJob }),
    presentJob: createPresentJob({ storage, jobQueue, catalogue, clock }),
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
    varyJob: createVaryJob({ getJob, submitJob, clock }),
  };
}
export type Jobs = ReturnType<typeof createJobs>;

/** Returns the lookup of the budgets in which a job counts. */
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
