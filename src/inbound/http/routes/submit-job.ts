import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import { type ImageJob, isTerminal } from '../../../domain/image-job.ts';
import type { ImageRequestBody } from '../../../domain/image-request.ts';
import type { ImageJobView } from '../../../domain/job-view.ts';
import { type HttpContext, pollSeconds, present, refuseWhileStopping, storedOrigin } from '../context.ts';
import { imageJobExamples, imagePreviewExample } from '../examples.ts';
import { idempotencyKeyFrom, type Preferences, preferencesFrom, traceparentFrom } from '../headers.ts';
import { ref } from '../json-schema.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { header, json, problems, requestHeader } from '../responses.ts';
import { waitForTerminal } from '../wait-for-terminal.ts';

/** Headers of every answer that holds an accepted job. */
export const acceptedHeaders = {
  'preference-applied': header.preferenceApplied,
  'idempotent-replayed': header.replayed,
};

/** `POST /images`: accept a request durably, or say what it would be and cost. */
export function submitJobRoute(app: FastifyInstance, context: HttpContext): void {
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
      if (request.query.dry_run) return preview(context, request.body);
      refuseWhileStopping(context);
      const preferences = preferencesFrom(request.headers.prefer);
      const { job, replayed } = await context.submitJob.submit({
        caller,
        body: request.body,
        idempotencyKey,
        traceparent: traceparentFrom(request.headers.traceparent),
        origin: storedOrigin(context, request),
      });
      return sendAccepted(context, request, reply, { job, replayed, preferences });
    },
  });
}

async function preview(context: HttpContext, body: ImageRequestBody) {
  const { request, warnings, estimateMicroUsd, queueDepth } = await context.submitJob.preview(body);
  return {
    request,
    warnings,
    estimate: { cost_micro_usd: estimateMicroUsd, eta_s: null, queue_depth: queueDepth },
  };
}

interface Accepted {
  readonly job: ImageJob;
  readonly replayed: boolean;
  readonly preferences: Preferences;
}

/** Answers with an accepted job: 202, or 200 when the caller waited and it has ended. */
export async function sendAccepted(
  context: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  accepted: Accepted,
): Promise<ImageJobView> {
  const { job, preferences, replayed } = accepted;
  if (job.erasedAt !== undefined) {
    throw new AppError('erased', { detail: 'The job of this Idempotency-Key was erased.' });
  }
  const view = await latestView(context, request, reply, accepted);
  reply.header('cache-control', 'no-store');
  if (replayed) reply.header('idempotent-replayed', 'true');
  if (preferences.applied) reply.header('preference-applied', preferences.applied);
  const ended = isTerminal(view.status) && preferences.waitSeconds > 0;
  if (!ended) reply.code(202).header('location', `/images/${job.id}`).header('retry-after', pollSeconds);
  return view;
}

/**
 * The job as it is when the wait is over, or as it was accepted where waiting for it or showing it fails: whoever was
 * told of a failure would not learn the id of a job that is made and paid for all the same.
 */
async function latestView(
  context: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { job, replayed, preferences }: Accepted,
): Promise<ImageJobView> {
  const waitMs = preferences.waitSeconds * 1000;
  try {
    const latest = waitMs > 0 ? await waitForTerminal(context, reply, job, waitMs) : job;
    // The place in the queue costs a question to Redis; who wants it polls.
    return await present(context, request, latest, { withPosition: waitMs > 0 || replayed });
  } catch (error) {
    if (error instanceof AppError && error.code === 'erased') throw error;
    request.log.warn(
      { err: error, job_id: job.id },
      'job accepted, but not waited for or shown as it is now',
    );
    return present(context, request, job, { withPosition: false });
  }
}
