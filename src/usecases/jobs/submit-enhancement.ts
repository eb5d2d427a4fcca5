import { checkRequestText } from '../../domain/check-request-text.ts';
import { type EnhancementRequest, enhancementRequest } from '../../domain/enhancement.ts';
import { estimateEnhancement } from '../../domain/estimate.ts';
import { createJob, type ImageJob, type Retention } from '../../domain/image-job.ts';
import { withHold } from '../../domain/job-money.ts';
import { finish } from '../../domain/job-moves.ts';
import { checkPresetRule } from '../../domain/key-rules.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { CheckRoom, Clock, Ids, JobQueue, Spending } from '../../domain/ports.ts';
import { type Presets, promptTemplateOf } from '../../domain/preset.ts';
import { type Accepted, type AcceptJob, capsOfCaller } from './accept-job.ts';
import { createCheckBudgets } from './check-budgets.ts';
import type { Preview } from './preview-request.ts';
import { createClaims, type Submission } from './submission.ts';
import type { SubmitJob, SubmitPolicy, UsageRowOf } from './submit-job.ts';
import { checkKnownCost, queueLimitsOf } from './submit-refusals.ts';
import type { UpdateJob } from './update-job.ts';

interface Deps {
  acceptJob: AcceptJob;
  submitJob: Pick<SubmitJob, 'replay'>;
  updateJob: UpdateJob;
  jobQueue: Pick<JobQueue, 'remove' | 'counts'>;
  spending: Spending;
  presets: Presets;
  catalogue: Pick<ModelCatalogue, 'textPrices'>;
  /** The language model that writes descriptions. */
  enhanceModel: string;
  ids: Ids;
  digest: (text: string) => string;
  keyedDigest: (text: string) => string;
  checkRoom: CheckRoom;
  usageRowOf: UsageRowOf;
  retentionOf: (job: ImageJob) => Retention;
  clock: Clock;
  policy: SubmitPolicy;
}

/** A request to enhance a prompt. */
interface EnhancementSubmission
  extends Pick<Submission, 'caller' | 'idempotencyKey' | 'requestId' | 'traceparent'> {
  readonly body: EnhancementRequest;
}

/**
 * Accepts requests to enhance a prompt. Each becomes a job without images, so that one call of a worker pays for it under
 * the same ledger, budgets, limits and turns as every other job.
 */
export function createSubmitEnhancement(deps: Deps) {
  const { claimFor } = createClaims(deps);
  const checkBudgets = createCheckBudgets(deps);

  /** Checks a request against everything that can be known before it costs money. */
  function prepare({ body, caller }: Pick<EnhancementSubmission, 'body' | 'caller'>) {
    checkRequestText(body);
    checkPresetRule(caller.policy.key, body);
    const chosen = deps.presets.choose(body.preset);
    if (chosen) promptTemplateOf(chosen);
    const request = enhancementRequest(body, deps.enhanceModel);
    const estimate = estimateEnhancement(body.prompt, deps.catalogue.textPrices(deps.enhanceModel));
    checkKnownCost({ request, estimate }, capsOfCaller(caller, deps.clock()), deps.policy);
    return { request, estimate };
  }

  async function submit(submission: EnhancementSubmission): Promise<Accepted> {
    const { caller, body, idempotencyKey, requestId, traceparent } = submission;
    const named = { caller, idempotencyKey, identity: { route: 'POST /prompts/enhance', body } };
    let prepared: ReturnType<typeof prepare>;
    try {
      deps.checkRoom();
      prepared = prepare(submission);
    } catch (error) {
      // A job that was accepted under this key stays accepted, even if it would be refused now.
      const held = await deps.submitJob.replay(named);
      if (held) return held;
      throw error;
    }
    const { request, estimate } = prepared;
    const nowMs = deps.clock();
    const job = createJob({
      id: deps.ids.job(nowMs),
      tenant: caller.tenant,
      purpose: 'enhance',
      keyId: caller.keyId,
      nowMs,
      request,
      callBounds: estimate?.calls,
      usageRow: await deps.usageRowOf(caller, request),
      requestId,
      traceparent,
    });
    const claim = claimFor({ ...named, body: request });
    const isRepeatable = claim !== undefined;
    const queueLimits = queueLimitsOf(caller);
    return deps.acceptJob(withHold(job), { claim, isRepeatable, caller, queueLimits, estimate });
  }

  /** Checks and estimates a request. Nothing is stored, queued or held. */
  async function preview(by: Pick<EnhancementSubmission, 'body' | 'caller'>): Promise<Preview> {
    const { request, estimate } = prepare(by);
    const warnings = await checkBudgets(by.caller, { request, estimate });
    const { waiting, delayed } = await deps.jobQueue.counts();
    return { request, warnings, estimate, queueDepth: waiting + delayed };
  }

  /** Cancels an enhancement that no worker has begun. Nothing was spent on it, and its caller has left. */
  async function cancelQueued({ tenant, id }: ImageJob): Promise<void> {
    await deps.updateJob({ tenant, id }, (job) =>
      job.status === 'queued'
        ? finish(job, 'canceled', { nowMs: deps.clock(), retention: deps.retentionOf(job) })
        : null,
    );
    await deps.jobQueue.remove(id).catch(() => false);
  }

  return { submit, preview, cancelQueued };
}
export type SubmitEnhancement = ReturnType<typeof createSubmitEnhancement>;
