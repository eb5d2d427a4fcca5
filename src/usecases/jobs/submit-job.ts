import type { Caller } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';
import type { CostRange } from '../../domain/estimate.ts';
import { createJob, type ImageJob } from '../../domain/image-job.ts';
import type { ImageRequest, ImageRequestBody } from '../../domain/image-request.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import type {
  IdempotencyClaim,
  Ids,
  JobStore,
  Log,
  Meter,
  TaskIntake,
  TaskQueue,
} from '../../domain/ports.ts';
import { eventFor, type NewEvent } from '../../domain/webhook-event.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import type { CancelUnconfirmedJob } from './cancel-unconfirmed-job.ts';
import type { GetJob } from './get-job.ts';
import { type PreparedRequest, prepareRequest, type RequestPolicy, type Rules } from './prepare-request.ts';
import { queueEvent } from './update-job.ts';

/** What a deployment decides where the caller does not. */
export interface SubmitPolicy extends RequestPolicy {
  readonly maxOpenJobsPerTenant: number;
}

interface Deps extends Rules {
  records: JobStore;
  getJob: Pick<GetJob, 'current'>;
  jobQueue: TaskQueue;
  /** The way into it. */
  jobIntake: TaskIntake;
  webhookQueue: TaskQueue;
  ids: Ids;
  /** SHA-256, base64url. */
  digest: (text: string) => string;
  /** A digest that nobody can make again without our secret: what it was made of may be guessed, and outlives its job. */
  keyedDigest: (text: string) => string;
  cancelUnconfirmed: CancelUnconfirmedJob;
  meter: Meter;
  log: Log;
  policy: SubmitPolicy;
}

export interface Submission {
  readonly caller: Caller;
  readonly body: ImageRequestBody;
  readonly idempotencyKey?: string | undefined;
  readonly parentId?: string | undefined;
  /** Id of the request, for the log lines of the job. */
  readonly requestId?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly origin?: string | undefined;
  /** Id of the job if it is decided before the submission. */
  readonly id?: string | undefined;
  /** What was changed or ignored in the request before it came here. */
  readonly warnings?: readonly string[] | undefined;
}

/** What a key was given for: an order by its body, a retry by its parent. */
type Named = Pick<Submission, 'caller' | 'idempotencyKey' | 'parentId'> & Partial<Pick<Submission, 'body'>>;
type KeyName = Pick<IdempotencyClaim, 'keyHash' | 'fingerprint'>;

interface Accepted {
  readonly job: ImageJob;
  readonly replayed: boolean;
}

/** The normalized request and its estimated cost. */
export interface Preview {
  readonly request: ImageRequest;
  readonly warnings: readonly string[];
  /** `null` if the cost is unknown. */
  readonly estimate: CostRange | null;
  readonly queueDepth: number;
}

/** Extra life of an idempotency claim over its record, for clocks and slow queues. */
const claimMarginMs = 3_600_000;
const minClaimMs = 24 * 3_600_000;

/**
 * Accepts a request durably: once it returns, the job survives the death of any process. Everything that can be known
 * to be wrong is refused before anything is written.
 */
export function createSubmitJob(deps: Deps) {
  const { policy } = deps;

  /** How a key stands in the store, and what it was given for. */
  function nameOf({ idempotencyKey, parentId, body }: Named): KeyName | undefined {
    if (idempotencyKey === undefined) return undefined;
    // A retry says nothing but its parent, whose own words may be erased meanwhile. The words of an order are the caller's
    // own, without the defaults: another default after a deploy is not another request.
    const identity = parentId === undefined ? { route: 'POST /images', body } : { route: 'retry', parentId };
    return { keyHash: deps.digest(idempotencyKey), fingerprint: deps.keyedDigest(canonicalJson(identity)) };
  }

  function claimFor(submission: Submission): IdempotencyClaim | undefined {
    const { body } = submission;
    const name = nameOf(submission);
    const lifeSeconds =
      (body.queue_ttl_s ?? policy.queueTtlSeconds) +
      (body.run_timeout_s ?? policy.runTimeoutSeconds) +
      (body.retention?.record_s ?? policy.maxRecordSeconds);
    return name && { ...name, ttlMs: Math.max(minClaimMs, lifeSeconds * 1000 + claimMarginMs) };
  }

  /** What was accepted under a key before; `null` when nothing was, or something else. Accepts nothing. */
  async function replay(named: Named): Promise<Accepted | null> {
    const name = nameOf(named);
    const held = name && (await deps.records.findByKey(named.caller.tenant, name));
    return held?.kind === 'replayed' ? { job: await deps.getJob.current(held.job), replayed: true } : null;
  }

  async function submit(submission: Submission): Promise<Accepted> {
    let prepared: PreparedRequest;
    try {
      prepared = prepareRequest(submission.body, deps);
    } catch (error) {
      // What was accepted under this key stays accepted, even if the rules have changed since.
      const held = await replay(submission);
      if (held) return held;
      throw error;
    }
    const nowMs = deps.clock();
    const job = createJob({
      id: submission.id ?? deps.ids.job(nowMs),
      tenant: submission.caller.tenant,
      nowMs,
      request: prepared.request,
      promptTemplate: prepared.promptTemplate,
      warnings: [...(submission.warnings ?? []), ...prepared.warnings],
      parentId: submission.parentId,
      requestId: submission.requestId,
      traceparent: submission.traceparent,
      origin: submission.origin,
    });
    return accept(job, claimFor(submission));
  }

  async function write(job: ImageJob, claim: IdempotencyClaim | undefined, event: NewEvent) {
    try {
      return await deps.records.submit({ job, claim, event, maxOpenJobs: policy.maxOpenJobsPerTenant });
    } catch (error) {
      // With a key the caller's next try finds the job, should it have been written after all.
      if (!claim) deps.cancelUnconfirmed(job);
      throw error;
    }
  }

  async function accept(job: ImageJob, claim: IdempotencyClaim | undefined): Promise<Accepted> {
    const event = eventFor(job);
    const outcome = await write(job, claim, event);
    if (outcome.kind === 'key_reused') {
      throw new AppError('idempotency_key_reused', {
        detail: 'This Idempotency-Key was used with another body. Use a new key for a new request.',
      });
    }
    if (outcome.kind === 'gone') {
      throw new AppError('erased', {
        detail:
          'The job of this Idempotency-Key was made, and its record has expired. Use a new key for a new request.',
      });
    }
    if (outcome.kind === 'queue_full') {
      throw new AppError('queue_full', {
        detail: `There are already ${policy.maxOpenJobsPerTenant} unfinished jobs. Try again when some have ended.`,
        retryAfterSeconds: 30,
      });
    }
    if (outcome.kind === 'replayed') {
      deps.meter.submitted('replayed');
      const replayed = await deps.getJob.current(outcome.job);
      // Its first answer may have been 503 from a store that wrote it all the same. Not by the intake, which keeps
      // everything that is thrown in.
      if (replayed.status === 'queued') queueJob(replayed, deps.jobQueue);
      return { job: replayed, replayed: true };
    }
    deps.meter.submitted('created');
    queueJob(job, deps.jobIntake);
    if (outcome.eventWritten) await queueEvent(deps, { tenant: job.tenant, id: event.id });
    return { job, replayed: false };
  }

  /** Queues a job. The caller does not wait, because the record makes the job durable and the reconciler adds a lost task. */
  function queueJob(job: ImageJob, queue: TaskIntake): void {
    const { tenant, id, request } = job;
    queue.add({ kind: 'run_job', tenant, id }, { priority: request?.priority ?? 'normal' }).catch((error) => {
      deps.log.warn(
        { err: error, ...logFieldsOf(job) },
        'job accepted, not queued; the reconciler will queue it',
      );
    });
  }

  async function preview(body: ImageRequestBody): Promise<Preview> {
    const { request, warnings, estimate } = prepareRequest(body, deps);
    const { waiting, delayed } = await deps.jobQueue.counts();
    return { request, warnings, estimate, queueDepth: waiting + delayed };
  }

  return { submit, replay, preview };
}

export type SubmitJob = ReturnType<typeof createSubmitJob>;
