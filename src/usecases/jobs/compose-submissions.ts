import { type AcceptJob, createAcceptJob } from './accept-job.ts';
import { createCancelUnconfirmedJob } from './cancel-unconfirmed-job.ts';
import type { GetJob } from './get-job.ts';
import type { JobsDeps } from './jobs-deps.ts';
import type { ReportThresholds } from './report-thresholds.ts';
import { createSubmitEnhancement } from './submit-enhancement.ts';
import { createSubmitJob, type SubmitJob } from './submit-job.ts';
import type { UpdateJob } from './update-job.ts';

/** Verbs of jobs that submissions need. */
interface Verbs {
  readonly getJob: GetJob;
  readonly updateJob: UpdateJob;
  readonly reportThresholds: ReportThresholds;
}

/** Builds the verbs that accept new jobs. They share the atomic step that writes a job. */
export function composeSubmissions(deps: JobsDeps, verbs: Verbs) {
  const acceptJob = composeAcceptJob(deps, verbs);
  const { getJob, updateJob } = verbs;
  const submitJob = composeSubmitJob(deps, { getJob, acceptJob });
  return {
    submitJob,
    submitEnhancement: composeSubmitEnhancement(deps, { acceptJob, submitJob, updateJob }),
  };
}

function composeAcceptJob(deps: JobsDeps, { getJob, updateJob, reportThresholds }: Verbs) {
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
  return createAcceptJob({
    records,
    getJob,
    jobQueue,
    jobIntake: deps.jobIntake,
    webhookQueue: deps.webhookQueue,
    cancelUnconfirmed,
    reportThresholds,
    meter: deps.meter,
    log,
    policy: deps.policy,
  });
}

function composeSubmitJob(
  deps: JobsDeps,
  { getJob, acceptJob }: { readonly getJob: GetJob; readonly acceptJob: AcceptJob },
) {
  return createSubmitJob({
    records: deps.records,
    getJob,
    jobQueue: deps.jobQueue,
    spending: deps.spending,
    acceptJob,
    guard: deps.guard,
    catalogue: deps.catalogue,
    estimate: deps.estimate,
    presets: deps.presets,
    ids: deps.ids,
    digest: deps.digest,
    keyedDigest: deps.keyedDigest,
    prepareInputs: deps.prepareInputs,
    checkRoom: deps.checkRoom,
    usageRowOf: deps.usageRowOf,
    clock: deps.clock,
    policy: deps.policy,
  });
}

function composeSubmitEnhancement(
  deps: JobsDeps,
  verbs: { readonly acceptJob: AcceptJob; readonly submitJob: SubmitJob; readonly updateJob: UpdateJob },
) {
  return createSubmitEnhancement({
    ...verbs,
    jobQueue: deps.jobQueue,
    spending: deps.spending,
    presets: deps.presets,
    catalogue: deps.catalogue,
    enhanceModel: deps.enhanceModel,
    ids: deps.ids,
    digest: deps.digest,
    keyedDigest: deps.keyedDigest,
    checkRoom: deps.checkRoom,
    usageRowOf: deps.usageRowOf,
    retentionOf: deps.retentionOf,
    clock: deps.clock,
    policy: deps.policy,
  });
}
