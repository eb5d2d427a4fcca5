import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import type { ImageRequestBody } from '../../../domain/image-request.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import type { Addresses } from '../addresses.ts';
import { refuseWhileDraining } from '../draining.ts';
import { imageJobExamples, imagePreviewExample } from '../examples.ts';
import { idempotencyKeyFrom, preferencesFrom } from '../headers.ts';
import { jobTraceOf } from '../job-trace.ts';
import { ref, unionOf } from '../json-schema.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { header, json, problems, requestHeader } from '../responses.ts';
import { acceptedHeaders, type SendAccepted } from '../send-accepted.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'submitJob'>;
  readonly addresses: Addresses;
  readonly sendAccepted: SendAccepted;
  readonly draining: AbortSignal;
}

const schema = {
  operationId: 'submitJob',
  summary: 'Create a job',
  description:
    'Accepts a job durably. `Prefer: wait=N` delays the response until the job is terminal or N seconds have passed, at most 55.',
  tags: ['images'],
  headers: {
    type: 'object',
    properties: { 'idempotency-key': requestHeader.idempotencyKey, prefer: requestHeader.prefer },
  },
  querystring: {
    type: 'object',
    properties: {
      dry_run: {
        type: 'boolean',
        description: 'Validates, normalizes and estimates. Nothing is stored or queued.',
      },
    },
  },
  body: ref('ImageRequest'),
  response: {
    200: json(
      'The job, which ended during the wait; with `dry_run` the preview',
      unionOf('object', [
        ['image_job', 'ImageJob'],
        ['image_preview', 'ImagePreview'],
      ]),
      {
        headers: acceptedHeaders,
        examples: {
          succeeded: imageJobExamples.succeeded,
          failed: imageJobExamples.failed,
          preview: imagePreviewExample,
        },
      },
    ),
    202: json('Accepted. The job survives the crash of any process', 'ImageJob', {
      headers: { ...acceptedHeaders, location: header.location, 'retry-after': header.pollAfter },
      examples: { queued: imageJobExamples.queued },
    }),
    ...problems(
      { body: true },
      'invalid_idempotency_key',
      'idempotency_key_reused',
      'model_retired',
      'model_unknown',
      'cost_unknown',
      'max_cost_exceeded',
      'destination_forbidden',
      'erased',
      'queue_full',
      'shutting_down',
    ),
  },
};

/** `POST /images`: accepts a request durably, or previews it. */
export function submitJobRoute(app: FastifyInstance, deps: Deps): void {
  const { jobs, addresses, sendAccepted, draining } = deps;
  app.route<{ Body: ImageRequestBody; Querystring: { dry_run?: boolean } }>({
    method: 'POST',
    url: '/images',
    config: { scope: 'images:write' },
    schema,
    handler: async (request, reply) => {
      refuseInputs(request.body);
      const caller = callerOf(request);
      // The key is read first, so that a dry run reports a malformed key too.
      const idempotencyKey = idempotencyKeyFrom(request.headers['idempotency-key']);
      if (request.query.dry_run) return preview(jobs, request.body);
      refuseWhileDraining(draining);
      const preferences = preferencesFrom(request.headers.prefer);
      const { job, replayed } = await jobs.submitJob.submit({
        caller,
        body: request.body,
        idempotencyKey,
        ...jobTraceOf(request),
        origin: addresses.storedOriginOf(request),
      });
      return sendAccepted(request, reply, { job, replayed, preferences });
    },
  });
}

/** Refuses inputs, because a job without them would cost money for another image. */
function refuseInputs({ images, mask, markup }: ImageRequestBody): void {
  if (!images && !mask && !markup) return;
  throw new AppError('validation_failed', {
    detail: 'Edits are not available yet.',
    issues: [{ pointer: '/images', detail: 'is not available yet' }],
  });
}

async function preview(jobs: Deps['jobs'], body: ImageRequestBody) {
  const { request, warnings, estimate, queueDepth } = await jobs.submitJob.preview(body);
  return {
    object: 'image_preview',
    request,
    warnings,
    estimate: {
      low_micro_usd: estimate?.low ?? null,
      high_micro_usd: estimate?.high ?? null,
      eta_s: null,
      queue_depth: queueDepth,
    },
  };
}
