import type { Caller } from '../../domain/api-key.ts';
import { type BudgetCap, capsOf, labelsOf } from '../../domain/budget.ts';
import { checkModeratedInputs } from '../../domain/edit-rules.ts';
import type { CostRange } from '../../domain/estimate.ts';
import { createJob, type ImageJob } from '../../domain/image-job.ts';
import type { ImageRequest, ImageRequestFields } from '../../domain/image-request.ts';
import type { JobInput } from '../../domain/input-image.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import { withHold } from '../../domain/job-money.ts';
import { checkKeyRules } from '../../domain/key-rules.ts';
import type {
  CheckRoom,
  IdempotencyClaim,
  Ids,
  JobQueue,
  JobStore,
  Log,
  Meter,
  QueueLimit,
  RecordLimits,
  RequestedInput,
  TaskIntake,
  TaskQueue,
} from '../../domain/ports.ts';
import { eventFor, type NewEvent } from '../../domain/webhook-event.ts';
import type { PrepareInputs } from '../inputs/prepare-inputs.ts';
import type { CancelUnconfirmedJob } from './cancel-unconfirmed-job.ts';
import type { GetJob } from './get-job.ts';
import { type PreparedRequest, prepareRequest, type RequestPolicy, type Rules } from './prepare-request.ts';
import type { ReportThresholds } from './report-thresholds.ts';
import { createClaims, type Named, type Submission } from './submission.ts';
import { checkKnownCost, queueLimitsOf, refusalOf } from './submit-refusals.ts';
import { queueEvent } from './update-job.ts';
import { factsOfInputs, withStoredInputs } from './with-stored-inputs.ts';

export type { Submission };

/** Returns the row of the usage counters in which a job will count. @throws AppError `store_unavailable` */
export type UsageRowOf = (caller: Submission['caller'], request: ImageRequest) => Promise<number>;

/** Defaults and limits that a deployment sets for submissions. */
export interface SubmitPolicy extends RequestPolicy {
  readonly maxOpenJobsPerTenant: number;
  /** Limits of all records of one tenant. */
  readonly storage: RecordLimits;
}

interface Deps extends Rules {
  records: JobStore;
  getJob: Pick<GetJob, 'current'>;
  jobQueue: JobQueue;
  /** Intake of `jobQueue`. */
  jobIntake: TaskIntake;
  webhookQueue: TaskQueue;
  ids: Ids;
  /** SHA-256, base64url. */
  digest: (text: string) => string;
  /** Keyed digest (HMAC). It outlives its job and must not confirm a guessed input, so it needs our secret. */
  keyedDigest: (text: string) => string;
  prepareInputs: PrepareInputs;
  cancelUnconfirmed: CancelUnconfirmedJob;
  checkRoom: CheckRoom;
  usageRowOf: UsageRowOf;
  reportThresholds: ReportThresholds;
  meter: Meter;
  log: Log;
  policy: SubmitPolicy;
}

interface Accepted {
  readonly job: ImageJob;
  readonly replayed: boolean;
}

/** Conditions under which the store accepts a job. */
interface Terms {
  readonly claim: IdempotencyClaim | undefined;
  /** Budgets that the hold of the job must fit. */
  readonly caps: readonly BudgetCap[];
  readonly queueLimits: readonly QueueLimit[];
  readonly estimate: CostRange | null;
}

/** The normalized request and its estimated cost. */
export interface Preview {
  readonly request: ImageRequest;
  readonly warnings: readonly string[];
  /** `null` if the cost is unknown. */
  readonly estimate: CostRange | null;
  readonly queueDepth: number;
}

/**
 * Accepts a request durably: once it returns, the job survives the crash of any process. Every fault that can be detected
 * is refused before the first write.
 */
export function createSubmitJob(deps: Deps) {
  const { policy } = deps;
  const { nameOf, claimFor } = createClaims(deps);

  /** Returns the job that was accepted under a key; `null` if there is none or its request differs. Accepts no new job. */
  async function replay(named: Named): Promise<Accepted | null> {
    const name = nameOf(named);
    const held = name && (await deps.records.findByKey(named.caller.tenant, name));
    return held?.kind === 'replayed' ? { job: await deps.getJob.current(held.job), replayed: true } : null;
  }

  async function submit(submission: Submission): Promise<Accepted> {
    let prepared: PreparedRequest;
    const caps = capsOfCaller(submission.caller);
    try {
      deps.checkRoom();
      prepared = prepareRequest(submission.body, deps, submission.inputs);
      checkKeyRules(submission.caller.policy.key, prepared.request, deps.catalogue);
      checkKnownCost(prepared, caps, policy);
    } catch (error) {
      // A job that was accepted under this key stays accepted, even if it would be refused now.
      const held = await replay(submission);
      if (held) return held;
      throw error;
    }
    const counted = { ...prepared, usageRow: await deps.usageRowOf(submission.caller, prepared.request) };
    const inputs = submission.inputs ?? [];
    const queueLimits = queueLimitsOf(submission.caller);
    const terms = { claim: claimFor(submission), caps, queueLimits, estimate: prepared.estimate };
    if (inputs.length === 0) return accept(createQueued(submission, counted), terms);
    // The bytes of a repeated request need not be stored again, and its sources may be gone.
    const held = await replay(submission);
    return (
      held ??
      withStoredInputs(
        deps.prepareInputs,
        { tenant: submission.caller.tenant, inputs },
        {
          create(stored) {
            checkModeratedInputs(prepared.request, stored);
            return createQueued(submission, counted, stored);
          },
          accept: (job) => accept(job, terms),
        },
      )
    );
  }

  function capsOfCaller({ policy: rules, keyId }: Caller): BudgetCap[] {
    const nowMs = deps.clock();
    return capsOf(rules, keyId, { acceptedAtMs: nowMs, nowMs });
  }

  function createQueued(
    submission: Submission,
    prepared: PreparedRequest & { readonly usageRow: number },
    inputs?: readonly JobInput[],
  ): ImageJob {
    const nowMs = deps.clock();
    const job = createJob({
      id: submission.id ?? deps.ids.job(nowMs),
      tenant: submission.caller.tenant,
      keyId: submission.caller.keyId,
      nowMs,
      request: prepared.request,
      callBounds: prepared.estimate?.calls,
      promptTemplate: prepared.promptTemplate,
      inputs,
      warnings: [...(submission.warnings ?? []), ...prepared.warnings],
      usageRow: prepared.usageRow,
      parentId: submission.parentId,
      requestId: submission.requestId,
      traceparent: submission.traceparent,
      origin: submission.origin,
    });
    return withHold(job);
  }

  async function write(job: ImageJob, { claim, caps, queueLimits }: Terms, event: NewEvent) {
    try {
      const { maxOpenJobsPerTenant: maxOpenJobs, storage } = policy;
      return await deps.records.submit({ job, claim, event, maxOpenJobs, storage, caps, queueLimits });
    } catch (error) {
      // Only a job without a key is canceled, because a retry with the key finds a job that was written despite the error.
      if (!claim) deps.cancelUnconfirmed(job);
      throw error;
    }
  }

  async function accept(job: ImageJob, terms: Terms): Promise<Accepted> {
    const event = eventFor(job);
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
    if ('hasMark' in outcome && outcome.hasMark) reportThresholds(job.tenant);
    if (outcome.kind !== 'created')
      throw refusalOf(outcome, {
        maxOpenJobs: policy.maxOpenJobsPerTenant,
        storage: policy.storage,
        estimate: terms.estimate,
      });
    deps.meter.submitted('created');
    queueJob(job, deps.jobIntake);
    if (outcome.eventWritten) await queueEvent(deps, { tenant: job.tenant, id: event.id });
    return { job, replayed: false };
  }

  /** Reports thresholds of budgets. The caller does not wait, because the sweeper reports what is left. */
  function reportThresholds(tenant: string): void {
    deps.reportThresholds(tenant).catch((error) => {
      deps.log.warn({ err: error, tenant }, 'threshold of a budget not reported; the sweeper will report it');
    });
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

  /** Checks and estimates a request. Nothing is stored. */
  async function preview(
    body: ImageRequestFields,
    edit?: { readonly caller: Caller; readonly inputs: readonly RequestedInput[] },
  ): Promise<Preview> {
    const prepared = prepareRequest(body, deps, edit?.inputs);
    if (edit) checkKeyRules(edit.caller.policy.key, prepared.request, deps.catalogue);
    const facts = edit?.inputs.length
      ? await factsOfInputs(deps.prepareInputs, { tenant: edit.caller.tenant, inputs: edit.inputs })
      : [];
    const { request, warnings, estimate } = facts.length > 0 ? prepareRequest(body, deps, facts) : prepared;
    checkModeratedInputs(request, facts);
    const { waiting, delayed } = await deps.jobQueue.counts();
    return { request, warnings, estimate, queueDepth: waiting + delayed };
  }

  return { submit, replay, preview };
}

export type SubmitJob = ReturnType<typeof createSubmitJob>;
