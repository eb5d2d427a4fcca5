import type { Caller } from '../../domain/api-key.ts';
import { type BudgetCap, capsOf, labelsOf } from '../../domain/budget.ts';
import type { CostRange } from '../../domain/estimate.ts';
import { type ImageJob, isEnhancement } from '../../domain/image-job.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import type {
  IdempotencyClaim,
  InputSourceRecord,
  JobQueue,
  JobStore,
  Log,
  Meter,
  QueueLimit,
  RecordLimits,
  TaskIntake,
  TaskQueue,
} from '../../domain/ports.ts';
import { eventFor, type NewEvent } from '../../domain/webhook-event.ts';
import type { CancelUnconfirmedJob } from './cancel-unconfirmed-job.ts';
import { queueEvent } from './enqueue-event.ts';
import type { GetJob } from './get-job.ts';
import { type ReportThresholds, reportInBackground } from './report-thresholds.ts';
import { refusalOf } from './submit-refusals.ts';

interface Deps {
  records: Pick<JobStore, 'submit'>;
  getJob: Pick<GetJob, 'current'>;
  jobQueue: JobQueue;
  /** Intake of `jobQueue`. */
  jobIntake: TaskIntake;
  webhookQueue: TaskQueue;
  cancelUnconfirmed: CancelUnconfirmedJob;
  reportThresholds: ReportThresholds;
  meter: Meter;
  log: Log;
  policy: {
    readonly maxOpenJobsPerTenant: number;
    /** Limits of all records of one tenant. */
    readonly storage: RecordLimits;
  };
}

export interface Accepted {
  readonly job: ImageJob;
  readonly replayed: boolean;
}

/** Conditions under which the store accepts a job. */
export interface Terms {
  readonly claim: IdempotencyClaim | undefined;
  /** Whether a repeated request finds the job, by its idempotency key or by an id that was decided before. */
  readonly isRepeatable: boolean;
  /** Caller whose budgets the hold of the job must fit, in the windows in which the job counts. */
  readonly caller: Caller;
  readonly queueLimits: readonly QueueLimit[];
  readonly estimate: CostRange | null;
  /** Records from which inputs were copied. Default: none. */
  readonly sources?: readonly InputSourceRecord[];
}

/** Function that accepts a new job durably, or returns the job that was accepted under its key. */
export type AcceptJob = (job: ImageJob, terms: Terms) => Promise<Accepted>;

/** Returns the budgets that the hold of a job of a caller must fit if it is accepted at a time. */
export function capsOfCaller({ policy: rules, keyId }: Caller, acceptedAtMs: number): BudgetCap[] {
  return capsOf(rules, keyId, { acceptedAtMs, nowMs: acceptedAtMs });
}

/** Records the claim in the job, so that the claim of a job that cost nothing can end with its record. */
const withClaim = (job: ImageJob, { claim }: Terms): ImageJob =>
  claim ? { ...job, claim: { keyHash: claim.keyHash, ttlMs: claim.ttlMs } } : job;

/**
 * Creates the last step of every submission: one atomic write of the record, its claim, its hold and its event, and then
 * its task.
 */
export function createAcceptJob(deps: Deps): AcceptJob {
  const { policy } = deps;

  async function write(job: ImageJob, terms: Terms, event: NewEvent | undefined) {
    const { claim, caller, queueLimits, sources } = terms;
    const caps = capsOfCaller(caller, job.createdAt);
    try {
      const { maxOpenJobsPerTenant: maxOpenJobs, storage } = policy;
      return await deps.records.submit({
        job,
        claim,
        event,
        maxOpenJobs,
        storage,
        caps,
        queueLimits,
        sources,
      });
    } catch (error) {
      // A repeated request may find the job although the store did not confirm it, and must not find it canceled.
      if (!terms.isRepeatable) deps.cancelUnconfirmed(job);
      throw error;
    }
  }

  /** Queues a job. The caller does not wait, because the record makes the job durable and the reconciler adds a lost task. */
  function queueJob(job: ImageJob, queue: TaskIntake): void {
    const { tenant, id, keyId, request } = job;
    queue
      .add({ kind: 'run_job', tenant, id }, { priority: request?.priority ?? 'normal', keyId })
      .catch((error) => {
        deps.log.warn(
          { err: error, ...logFieldsOf(job) },
          'job accepted, not queued; the reconciler will queue it',
        );
      });
  }

  return async (submitted, terms) => {
    const job = withClaim(submitted, terms);
    const event = isEnhancement(job) ? undefined : eventFor(job);
    const outcome = await write(job, terms, event);
    if (outcome.kind === 'replayed') {
      deps.meter.submitted('replayed');
      const replayed = await deps.getJob.current(outcome.job);
      // The task may be missing, because the first response may have been 503 although the store wrote the job. The task
      // does not pass through the intake, because the intake does not remove duplicates.
      if (replayed.status === 'queued') queueJob(replayed, deps.jobQueue);
      return { job: replayed, replayed: true };
    }
    if (outcome.kind === 'capped') deps.meter.budgetRefused(labelsOf(outcome.refusal.cap));
    if ('hasMark' in outcome && outcome.hasMark) reportInBackground(deps, job.tenant);
    if (outcome.kind !== 'created')
      throw refusalOf(outcome, {
        maxOpenJobs: policy.maxOpenJobsPerTenant,
        storage: policy.storage,
        estimate: terms.estimate,
      });
    deps.meter.submitted('created');
    queueJob(job, deps.jobIntake);
    if (event && outcome.eventWritten) await queueEvent(deps, { tenant: job.tenant, id: event.id });
    return { job, replayed: false };
  };
}
