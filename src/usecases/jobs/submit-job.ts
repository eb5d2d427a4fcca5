import { checkModeratedInputs } from '../../domain/edit-rules.ts';
import { createJob, type ImageJob } from '../../domain/image-job.ts';
import type { ImageRequest } from '../../domain/image-request.ts';
import type { JobInput } from '../../domain/input-image.ts';
import { withHold } from '../../domain/job-money.ts';
import { checkKeyRules } from '../../domain/key-rules.ts';
import type { CheckRoom, Ids, JobQueue, JobStore, RecordLimits, Spending } from '../../domain/ports.ts';
import type { PrepareInputs } from '../inputs/prepare-inputs.ts';
import { type Accepted, type AcceptJob, capsOfCaller } from './accept-job.ts';
import type { GetJob } from './get-job.ts';
import { type PreparedRequest, prepareRequest, type RequestPolicy, type Rules } from './prepare-request.ts';
import { createPreviewRequest } from './preview-request.ts';
import { createClaims, type Named, type Submission } from './submission.ts';
import { checkKnownCost, queueLimitsOf } from './submit-refusals.ts';
import { withStoredInputs } from './with-stored-inputs.ts';

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
  records: Pick<JobStore, 'findByKey' | 'get'>;
  getJob: Pick<GetJob, 'current'>;
  jobQueue: Pick<JobQueue, 'counts'>;
  spending: Spending;
  acceptJob: AcceptJob;
  ids: Ids;
  /** SHA-256, base64url. */
  digest: (text: string) => string;
  /** Keyed digest (HMAC). It outlives its job and must not confirm a guessed input, so it needs our secret. */
  keyedDigest: (text: string) => string;
  prepareInputs: PrepareInputs;
  checkRoom: CheckRoom;
  usageRowOf: UsageRowOf;
  policy: SubmitPolicy;
}

/**
 * Accepts a request durably: once it returns, the job survives the crash of any process. Every fault that can be detected
 * is refused before the first write.
 */
export function createSubmitJob(deps: Deps) {
  const { policy, acceptJob } = deps;
  const { nameOf, claimFor } = createClaims(deps);

  /** Returns the job that was accepted under a key; `null` if there is none or its request differs. Accepts no new job. */
  async function replay(named: Named): Promise<Accepted | null> {
    const name = nameOf(named);
    const held = name && (await deps.records.findByKey(named.caller.tenant, name));
    return held?.kind === 'replayed' ? { job: await deps.getJob.current(held.job), replayed: true } : null;
  }

  async function submit(submission: Submission): Promise<Accepted> {
    let prepared: PreparedRequest;
    try {
      deps.checkRoom();
      prepared = prepareRequest(submission.body, deps, submission.inputs);
      checkKeyRules(submission.caller.policy.key, prepared.request, deps.catalogue);
      checkKnownCost(prepared, capsOfCaller(submission.caller, deps.clock()), policy);
    } catch (error) {
      // A job that was accepted under this key stays accepted, even if it would be refused now.
      const held = await replay(submission);
      if (held) return held;
      throw error;
    }
    const usageRow = await deps.usageRowOf(submission.caller, prepared.request);
    const { caller, inputs = [] } = submission;
    const queueLimits = queueLimitsOf(caller);
    const claim = claimFor(submission);
    const isRepeatable = claim !== undefined || submission.id !== undefined;
    const terms = { claim, isRepeatable, caller, queueLimits, estimate: prepared.estimate };
    if (inputs.length === 0) return acceptJob(createQueued(submission, { prepared, usageRow }), terms);
    // The bytes of a repeated request need not be stored again, and its sources may be gone.
    const held = await replay(submission);
    return (
      held ??
      withStoredInputs(
        deps.prepareInputs,
        { tenant: caller.tenant, inputs },
        {
          create(stored) {
            checkModeratedInputs(prepared.request, stored);
            return createQueued(submission, { prepared, usageRow }, stored);
          },
          exists: async ({ tenant, id }) =>
            submission.id !== undefined && (await deps.records.get(tenant, id)) !== null,
          accept: async (job, sources) =>
            acceptJob(job, { ...terms, ...(await latestLimits(submission, prepared)), sources }),
        },
      )
    );
  }

  /** Returns a caller with its limits after the check of its inputs. Its key may be revoked or restricted since it was authenticated. */
  async function latestLimits({ recheck }: Submission, { request }: PreparedRequest) {
    const caller = await recheck?.();
    if (!caller) return {};
    checkKeyRules(caller.policy.key, request, deps.catalogue);
    return { caller, queueLimits: queueLimitsOf(caller) };
  }

  function createQueued(
    submission: Submission,
    { prepared, usageRow }: { readonly prepared: PreparedRequest; readonly usageRow: number },
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
      usageRow,
      parentId: submission.parentId,
      requestId: submission.requestId,
      traceparent: submission.traceparent,
      origin: submission.origin,
    });
    return withHold(job);
  }

  return { submit, replay, preview: createPreviewRequest(deps) };
}

export type SubmitJob = ReturnType<typeof createSubmitJob>;
