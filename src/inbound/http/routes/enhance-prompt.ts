import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../../../domain/api-key.ts';
import {
  type EnhancementRequest,
  enhancementWaitSeconds,
  viewEnhancement,
} from '../../../domain/enhancement.ts';
import { AppError, type ErrorCode } from '../../../domain/errors.ts';
import type { ImageJob } from '../../../domain/image-job.ts';
import type { TenantSlots } from '../../../lib/tenant-slots.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import { refuseErased } from '../../../usecases/jobs/refuse-erased.ts';
import { refuseWhileDraining } from '../draining.ts';
import { type DryRunQuery, dryRunQuery, viewEstimate } from '../dry-run.ts';
import { enhancementExample, enhancementPreviewExample } from '../examples.ts';
import { idempotencyKeyFrom } from '../headers.ts';
import { jobTraceOf } from '../job-trace.ts';
import { ref, unionOf } from '../json-schema.ts';
import { callerOf } from '../plugins/authenticate.ts';
import type { PresentTo } from '../present-to.ts';
import { requestHeader } from '../request-headers.ts';
import { header, json, problems } from '../responses.ts';
import { lostAccess, whileAllowed } from '../while-allowed.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'submitEnhancement' | 'getJob'>;
  readonly presentTo: PresentTo;
  readonly longPollSlots: TenantSlots;
  readonly draining: AbortSignal;
}

const enhancedOrPreview = unionOf('object', [
  ['enhancement', 'Enhancement'],
  ['enhancement_preview', 'EnhancementPreview'],
]);

/** Headers of every response that belongs to a job. */
const jobHeaders = {
  'idempotent-replayed': header.replayed,
  'x-darkroom-job-id': {
    description:
      'Id of the job, as in the ledger. It can be read and erased by this id. A dry run has no job, and neither has a refused request.',
    type: 'string',
  },
};

/** Error codes with which the wait for the job can end. */
const failures: readonly ErrorCode[] = [
  'internal',
  'store_unavailable',
  'budget_exceeded',
  'canceled',
  'erased',
  'moderation_blocked',
  'provider_rejected',
  'provider_rate_limited',
  'provider_overloaded',
  'provider_unreachable',
  'provider_quota_exhausted',
  'provider_unauthorized',
  'provider_outcome_unknown',
  'provider_unusable_answer',
  'worker_lost',
  'queue_timeout',
  'run_timeout',
  'shutting_down',
];

const schema = {
  operationId: 'enhancePrompt',
  summary: 'Enhance a prompt',
  description: `A language model writes the detailed description that \`enhance\` would send to the image model. One call is made and paid, in the budgets and the ledger like every other call, as a job without images that lists and webhooks omit. The response waits at most ${enhancementWaitSeconds} s. A repetition with the same Idempotency-Key returns the same result and pays nothing. \`dry_run\` returns the cost first.`,
  tags: ['images'],
  headers: { type: 'object', properties: { 'idempotency-key': requestHeader.idempotencyKey } },
  querystring: dryRunQuery,
  body: ref('EnhancementRequest'),
  response: {
    200: json('The enhanced prompt; with `dry_run` the preview', enhancedOrPreview, {
      headers: { ...jobHeaders, 'cache-control': header.cacheControl },
      examples: { enhanced: enhancementExample, preview: enhancementPreviewExample },
    }),
    ...problems(
      { body: true, after: { codes: failures, headers: jobHeaders } },
      'invalid_idempotency_key',
      'idempotency_key_reused',
      'preset_required',
      'too_many_records',
      'cost_unknown',
      'moderation_throttled',
      'queue_full',
      'store_full',
    ),
  },
};

/** `POST /prompts/enhance`: expands a prompt by one paid call of a worker. */
export function enhancePromptRoute(app: FastifyInstance, deps: Deps): void {
  const { jobs, presentTo, draining } = deps;
  const wait = createWait(deps);
  app.route<{ Body: EnhancementRequest; Querystring: DryRunQuery }>({
    method: 'POST',
    url: '/prompts/enhance',
    config: { scope: 'images:write' },
    schema,
    handler: async (request, reply) => {
      const caller = callerOf(request);
      // The key is read first, so that a dry run reports a malformed key too.
      const idempotencyKey = idempotencyKeyFrom(request.headers['idempotency-key']);
      reply.header('cache-control', 'no-store');
      if (request.query.dry_run === true) return preview(jobs, { caller, body: request.body });
      refuseWhileDraining(draining);
      const leave = enterSlot(deps.longPollSlots, caller.tenant);
      try {
        const submission = { caller, body: request.body, idempotencyKey, ...jobTraceOf(request) };
        const { job, replayed } = await jobs.submitEnhancement.submit(submission);
        request.jobId = job.id;
        reply.header('x-darkroom-job-id', job.id);
        if (replayed) reply.header('idempotent-replayed', 'true');
        const latest = await wait(request as FastifyRequest, reply, {
          job,
          isRepeatable: idempotencyKey !== undefined,
        });
        return viewEnhancement(await presentTo(request as FastifyRequest, latest, { withPosition: false }));
      } finally {
        leave();
      }
    },
  });
}

/** Returns the cost of an enhancement. No list has enhancements, so the time that they take is unknown. */
async function preview(
  jobs: Deps['jobs'],
  by: { readonly caller: Caller; readonly body: EnhancementRequest },
) {
  const previewed = await jobs.submitEnhancement.preview(by);
  const { warnings, request } = previewed;
  return {
    object: 'enhancement_preview',
    request: { ...by.body, model: request.model },
    warnings,
    estimate: viewEstimate(previewed, null),
  };
}

function enterSlot(slots: TenantSlots, tenant: string): () => void {
  const leave = slots.enter(tenant);
  if (leave) return leave;
  throw new AppError('too_many_requests', { detail: 'Too many waiting requests. Retry later.' });
}

/** Creates the function that waits for an enhancement. */
function createWait({ jobs, draining }: Deps) {
  return async (
    request: FastifyRequest,
    reply: FastifyReply,
    { job, isRepeatable }: { readonly job: ImageJob; readonly isRepeatable: boolean },
  ): Promise<ImageJob> => {
    refuseErased(job);
    const signal = whileAllowed(draining, reply);
    const latest = await jobs.getJob.waitForEnd(job, enhancementWaitSeconds * 1000, signal);
    // No caller can read the result of a job without a key, so a job that waits is not worth its cost.
    if (signal.aborted && !isRepeatable && latest.status === 'queued') {
      await jobs.submitEnhancement.cancelQueued(latest).catch((error) => {
        request.log.warn({ err: error, job_id: job.id }, 'enhancement of a disconnected caller not canceled');
      });
    }
    const refusal = lostAccess(signal);
    if (refusal) throw refusal;
    if (signal.aborted && latest.finishedAt === undefined) refuseWhileDraining(draining);
    return latest;
  };
}
