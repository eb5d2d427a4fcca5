import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import type { ImageJob } from '../../../domain/image-job.ts';
import { canonicalJson } from '../../../lib/canonical-json.ts';
import { idle } from '../../../lib/sleep.ts';
import type { TenantSlots } from '../../../lib/tenant-slots.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import type { Addresses } from '../addresses.ts';
import { refuseWhileDraining, untilCallerLeaves } from '../draining.ts';
import { idempotencyKeyFrom, preferencesFrom } from '../headers.ts';
import { jobTraceOf } from '../job-trace.ts';
import { ref } from '../json-schema.ts';
import { callerOf } from '../plugins/authenticate.ts';
import type { SendAccepted } from '../send-accepted.ts';
import { imagesResponses } from './documented-responses.ts';
import { type GenerationBody, withoutNulls } from './generation-body.ts';
import { createImageSources } from './image-sources.ts';
import { type InterimResponses, keepAliveFormFor } from './keep-alive.ts';
import { type MappedRequest, mapRequest } from './map-request.ts';
import type { ModelMap } from './model-map.ts';
import { respond } from './respond.ts';
import { openAiRoute } from './route-options.ts';
import { watchDelivery } from './watch-delivery.ts';

/** Settings of the OpenAI-compatible API. */
export interface OpenAiSettings {
  readonly models: ModelMap;
  readonly interimResponses: InterimResponses;
  /** Whether a disconnect of the caller cancels the job. Otherwise the job continues, and a retry joins it. */
  readonly cancelOnDisconnect: boolean;
}

interface Deps {
  readonly jobs: Pick<
    Jobs,
    'submitOrJoin' | 'getJob' | 'cancelJob' | 'readImage' | 'presentJob' | 'streamJobEvents'
  >;
  readonly addresses: Addresses;
  readonly sendAccepted: SendAccepted;
  readonly longPollSlots: TenantSlots;
  readonly draining: AbortSignal;
  readonly linkSeconds: number;
  readonly openAi: OpenAiSettings;
}

const path = '/v1/images/generations';
/** Pause between two reads while the store is unavailable: it refuses at once, and waiting callers are many. */
const outagePauseMs = 1_000;

/** `POST /v1/images/generations`: generates images with a job, by the contract of OpenAI's API. */
export function generationsRoute(app: FastifyInstance, deps: Deps): void {
  const { jobs, openAi, draining } = deps;
  const sourcesFor = createImageSources(deps);
  app.route<{ Body: GenerationBody }>({
    method: 'POST',
    url: path,
    ...openAiRoute('images:write'),
    schema: {
      operationId: 'createOpenAiImage',
      summary: 'Generate images (OpenAI-compatible)',
      description:
        'Takes the request of an OpenAI client and responds when the images are stored. The job is durable: it continues if the caller disconnects, and a repeated request joins it.',
      tags: ['openai'],
      body: ref('OpenAiGenerationRequest'),
      response: imagesResponses(path),
    },
    preValidation: async (request) => {
      request.body = withoutNulls(request.body) as GenerationBody;
    },
    handler: async (request, reply) => {
      const mapped = mapRequest(request.body, openAi.models);
      refuseWhileDraining(draining);
      const preferences = preferencesFrom(request.headers.prefer);
      const leave = enterSlot(deps.longPollSlots, request);
      const submitted = await submit(request, mapped).catch((error) => {
        leave();
        throw error;
      });
      const { job, isJoined, report } = submitted;
      const headers = headersOf(mapped, submitted);
      if (preferences.applied === 'respond-async') {
        leave();
        reply.headers(headers);
        return deps.sendAccepted(request, reply, { job, replayed: isJoined, preferences });
      }
      const gone = untilCallerLeaves(draining, reply);
      watchDelivery(reply.raw, (isDelivered) => {
        leave();
        void report(isDelivered ? 'delivered' : 'disconnected');
        if (!isDelivered && openAi.cancelOnDisconnect) void cancel(request, job);
      });
      await respond(
        {
          request,
          reply,
          form: mapped.form,
          keepAlive: keepAliveFormFor(request, openAi.interimResponses),
          warnings: [...mapped.warnings, ...(job.warnings ?? [])],
          headers: { ...(reply.getHeaders() as Record<string, string>), ...headers },
          sourcesOf: (ended) => sourcesFor(request, ended, mapped.form.format),
          partials: () => ({
            moments: jobs.streamJobEvents(job, 0, gone),
            open: async (storageKey) => (await jobs.readImage.open(storageKey)).body,
          }),
        },
        untilEnded(request, job, gone),
      ).catch((error) => abandon(request, reply, error));
    },
  });

  function submit(request: FastifyRequest<{ Body: GenerationBody }>, mapped: MappedRequest) {
    return jobs.submitOrJoin({
      caller: callerOf(request),
      body: mapped.body,
      warnings: mapped.warnings,
      idempotencyKey: idempotencyKeyFrom(request.headers['idempotency-key']),
      isRetry: Number(request.headers['x-stainless-retry-count'] ?? 0) > 0,
      identity: `${path} ${canonicalJson(request.body)}`,
      ...jobTraceOf(request),
      origin: deps.addresses.storedOriginOf(request),
    });
  }

  /** Waits for the end of the job without a timeout. Stops if the caller disconnects or the process stops. */
  async function untilEnded(request: FastifyRequest, { tenant, id }: ImageJob, gone: AbortSignal) {
    for (;;) {
      try {
        const job = await jobs.getJob.waitForEnd({ tenant, id }, Number.POSITIVE_INFINITY, gone);
        if (gone.aborted) throw new CallerLeft();
        return job;
      } catch (error) {
        const isOutage = error instanceof AppError && error.code === 'store_unavailable';
        if (!isOutage || gone.aborted) throw error;
        request.log.warn({ err: error, job_id: id }, 'job not readable, retrying');
        await idle(outagePauseMs);
      }
    }
  }

  async function cancel(request: FastifyRequest, { tenant, id }: ImageJob): Promise<void> {
    await jobs.cancelJob(tenant, id).catch((error) => {
      if (error instanceof AppError && error.code === 'already_terminal') return;
      request.log.warn({ err: error, job_id: id }, 'job of a disconnected caller not canceled');
    });
  }
}

/** Signals that the wait ended before the job, because the caller disconnected or the process stops. */
class CallerLeft extends Error {}

/**
 * Closes the connection of a response that cannot be completed. The client then retries and joins the job. An error body
 * would not reliably cause this retry.
 */
function abandon(request: FastifyRequest, reply: FastifyReply, error: unknown): void {
  if (!(error instanceof CallerLeft)) request.log.warn({ err: error }, 'response not completed');
  reply.raw.destroy();
}

function enterSlot(slots: TenantSlots, request: FastifyRequest): () => void {
  const leave = slots.enter(callerOf(request).tenant);
  if (leave) return leave;
  throw new AppError('too_many_requests', { detail: 'Too many waiting requests. Retry later.' });
}

function headersOf(
  { requestedModel }: MappedRequest,
  { job, isJoined }: { readonly job: ImageJob; readonly isJoined: boolean },
): Record<string, string> {
  return {
    'x-darkroom-job-id': job.id,
    'x-darkroom-model': job.request?.model ?? '',
    ...(requestedModel === undefined ? {} : { 'x-darkroom-requested-model': encodeURI(requestedModel) }),
    ...(isJoined ? { 'x-darkroom-joined': job.id } : {}),
  };
}
