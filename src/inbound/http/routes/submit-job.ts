import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../../../domain/api-key.ts';
import { AppError } from '../../../domain/errors.ts';
import type { ImageRequestBody, ImageRequestFields } from '../../../domain/image-request.ts';
import type { RequestedInput } from '../../../domain/ports.ts';
import type { Inputs } from '../../../usecases/inputs/index.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import type { Addresses } from '../addresses.ts';
import { refuseWhileDraining } from '../draining.ts';
import { type DryRunQuery, dryRunQuery, viewEstimate } from '../dry-run.ts';
import { editFiles, limitTexts, withInputs } from '../edit-form.ts';
import { imageJobExamples, imagePreviewExample } from '../examples.ts';
import { idempotencyKeyFrom, preferencesFrom } from '../headers.ts';
import { jobTraceOf } from '../job-trace.ts';
import { ref, unionOf } from '../json-schema.ts';
import { maxDataBodyBytes } from '../max-body-size.ts';
import type { LifecycleHeadersOf } from '../model-lifecycle.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { json, problems } from '../responses.ts';
import { acceptedHeaders, newJobHeaders, type SendAccepted, submissionHeaders } from '../send-accepted.ts';
import { inputCodes, submissionCodes } from '../submission-codes.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'submitJob' | 'getEta'>;
  readonly inputs: Pick<Inputs, 'collectInputs'>;
  readonly addresses: Addresses;
  readonly sendAccepted: SendAccepted;
  readonly lifecycleHeadersOf: LifecycleHeadersOf;
  readonly draining: AbortSignal;
}

const schema = {
  operationId: 'submitJob',
  summary: 'Create a job',
  description:
    'Accepts a job durably. `Prefer: wait=N` delays the response until the job is terminal or N seconds have passed, at most 55. With `images` the job is an edit. Its files are fields of a form, data, uploads, earlier images, or https addresses.',
  tags: ['images'],
  headers: submissionHeaders,
  querystring: dryRunQuery,
  body: {
    content: {
      'application/json': { schema: ref('ImageRequest') },
      'multipart/form-data': { schema: ref('ImageForm') },
    },
  },
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
      headers: newJobHeaders,
      examples: { queued: imageJobExamples.queued },
    }),
    ...problems({ body: true }, ...submissionCodes, ...inputCodes),
  },
};

/** `POST /images`: accepts a request durably, or previews it. */
export function submitJobRoute(app: FastifyInstance, deps: Deps): void {
  const { jobs, inputs, addresses, sendAccepted, lifecycleHeadersOf, draining } = deps;
  app.route<{ Body: ImageRequestBody; Querystring: DryRunQuery }>({
    method: 'POST',
    url: '/images',
    config: { scope: 'images:write', files: editFiles },
    bodyLimit: maxDataBodyBytes,
    preValidation: (request, _reply, done) => {
      refuseAbsentBody(request as FastifyRequest);
      limitTexts(request as FastifyRequest);
      done();
    },
    schema,
    handler: async (request, reply) => {
      const caller = callerOf(request);
      // The key is read first, so that a dry run reports a malformed key too.
      const idempotencyKey = idempotencyKeyFrom(request.headers['idempotency-key']);
      const isDryRun = request.query.dry_run === true;
      if (!isDryRun) refuseWhileDraining(draining);
      const preferences = preferencesFrom(request.headers.prefer);
      const { previewed, accepted } = await withInputs(
        inputs,
        { request: request as FastifyRequest, body: request.body },
        async (body, list) => {
          if (isDryRun) return { previewed: await preview(jobs, body, { caller, inputs: list }) };
          const { requestId, traceparent } = jobTraceOf(request);
          const origin = addresses.storedOriginOf(request);
          const trace = { requestId, traceparent, origin, recheck: request.checkAccess ?? undefined };
          return {
            accepted: await jobs.submitJob.submit({ caller, body, inputs: list, idempotencyKey, ...trace }),
          };
        },
      );
      if (accepted) return sendAccepted(request, reply, { ...accepted, preferences });
      reply.headers(lifecycleHeadersOf(previewed.request.model));
      return previewed;
    },
  });
}

/** Fastify applies no schema if a body that may have several content types is absent. */
function refuseAbsentBody({ body }: FastifyRequest): void {
  if (body !== undefined) return;
  throw new AppError('validation_failed', {
    detail: 'The body is missing.',
    issues: [{ pointer: '', detail: 'must be object' }],
  });
}

async function preview(
  jobs: Deps['jobs'],
  body: ImageRequestFields,
  edit: { readonly caller: Caller; readonly inputs: readonly RequestedInput[] },
) {
  const previewed = await jobs.submitJob.preview(body, edit);
  const { request, warnings } = previewed;
  const eta = await jobs.getEta(edit.caller.tenant, request);
  return { object: 'image_preview', request, warnings, estimate: viewEstimate(previewed, eta) };
}
