import type { FastifyInstance } from 'fastify';
import type { ImageRequestBody } from '../../../domain/image-request.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import type { Addresses } from '../addresses.ts';
import { refuseWhileDraining } from '../draining.ts';
import { imageJobExamples, imagePreviewExample } from '../examples.ts';
import { idempotencyKeyFrom, preferencesFrom, traceparentFrom } from '../headers.ts';
import { ref } from '../json-schema.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { header, json, problems, requestHeader } from '../responses.ts';
import { acceptedHeaders, type SendAccepted } from '../send-accepted.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'submitJob'>;
  readonly addresses: Addresses;
  readonly sendAccepted: SendAccepted;
  readonly draining: AbortSignal;
}

/** `POST /images`: accept a request durably, or say what it would be and cost. */
export function submitJobRoute(app: FastifyInstance, deps: Deps): void {
  const { jobs, addresses, sendAccepted, draining } = deps;
  app.route<{ Body: ImageRequestBody; Querystring: { dry_run?: boolean } }>({
    method: 'POST',
    url: '/images',
    config: { scope: 'images:write' },
    schema: {
      operationId: 'submitJob',
      summary: 'Order images',
      description:
        'Accepts a job durably and answers at once; with `Prefer: wait=N` the answer is held until the job has ended or N seconds (at most 55) have passed.',
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
            description: 'Validate, normalize and estimate; nothing is stored or queued.',
          },
        },
      },
      body: ref('ImageRequest'),
      response: {
        200: json(
          'The job has ended while waiting; with `dry_run`, the preview',
          { anyOf: [ref('ImageJob'), ref('ImagePreview')] },
          {
            headers: acceptedHeaders,
            examples: {
              succeeded: imageJobExamples.succeeded,
              failed: imageJobExamples.failed,
              preview: imagePreviewExample,
            },
          },
        ),
        202: json('Accepted: from here on the job survives the death of any process', 'ImageJob', {
          headers: { ...acceptedHeaders, location: header.location, 'retry-after': header.pollAfter },
          examples: { queued: imageJobExamples.queued },
        }),
        ...problems(
          { body: true },
          'invalid_idempotency_key',
          'idempotency_key_reused',
          'model_retired',
          'model_unknown',
          'max_cost_exceeded',
          'destination_forbidden',
          'erased',
          'queue_full',
          'shutting_down',
        ),
      },
    },
    handler: async (request, reply) => {
      const caller = callerOf(request);
      // Checked first, so that a dry run tells of a bad key as well.
      const idempotencyKey = idempotencyKeyFrom(request.headers['idempotency-key']);
      if (request.query.dry_run) return preview(jobs, request.body);
      refuseWhileDraining(draining);
      const preferences = preferencesFrom(request.headers.prefer);
      const { job, replayed } = await jobs.submitJob.submit({
        caller,
        body: request.body,
        idempotencyKey,
        traceparent: traceparentFrom(request.headers.traceparent),
        origin: addresses.storedOriginOf(request),
      });
      return sendAccepted(request, reply, { job, replayed, preferences });
    },
  });
}

async function preview(jobs: Deps['jobs'], body: ImageRequestBody) {
  const { request, warnings, estimateMicroUsd, queueDepth } = await jobs.submitJob.preview(body);
  return {
    request,
    warnings,
    estimate: { cost_micro_usd: estimateMicroUsd, eta_s: null, queue_depth: queueDepth },
  };
}
