import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import type { ImageJob } from '../../../domain/image-job.ts';
import type { ImageRequestFields } from '../../../domain/image-request.ts';
import type { RequestedInput } from '../../../domain/ports.ts';
import { canonicalJson } from '../../../lib/canonical-json.ts';
import type { SharedBytes } from '../../../lib/shared-bytes.ts';
import { idle } from '../../../lib/sleep.ts';
import type { TenantSlots } from '../../../lib/tenant-slots.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import type { Addresses } from '../addresses.ts';
import { untilCallerLeaves } from '../draining.ts';
import { idempotencyKeyFrom, type Preferences, preferencesFrom } from '../headers.ts';
import { jobTraceOf } from '../job-trace.ts';
import type { LifecycleHeadersOf } from '../model-lifecycle.ts';
import { callerOf } from '../plugins/authenticate.ts';
import type { SendAccepted } from '../send-accepted.ts';
import { createImageSources } from './image-sources.ts';
import { type InterimResponses, keepAliveFormFor } from './keep-alive.ts';
import type { MappedRequest } from './map-request.ts';
import type { ModelMap } from './model-map.ts';
import { respond } from './respond.ts';
import { watchDelivery } from './watch-delivery.ts';
import type { EventFamily } from './write-partials.ts';
import type { WritePieces } from './write-pieces.ts';

/** Settings of the OpenAI-compatible API. */
export interface OpenAiSettings {
  readonly models: ModelMap;
  readonly interimResponses: InterimResponses;
  /** Time until the first keep-alive of a waiting caller, in seconds. */
  readonly keepAliveSeconds: number;
  /** Whether a disconnect of the caller cancels the job. Otherwise the job continues, and a retry joins it. */
  readonly cancelOnDisconnect: boolean;
}

export interface ImagesCallDeps {
  readonly jobs: Pick<
    Jobs,
    'submitOrJoin' | 'getJob' | 'cancelJob' | 'readImage' | 'presentJob' | 'streamJobEvents'
  >;
  readonly addresses: Addresses;
  readonly sendAccepted: SendAccepted;
  readonly lifecycleHeadersOf: LifecycleHeadersOf;
  readonly longPollSlots: TenantSlots;
  readonly writePieces: WritePieces;
  /** Images that a worker of this process has just stored. They save reading them from the storage. */
  readonly sharedImages: Pick<SharedBytes, 'expect'>;
  readonly draining: AbortSignal;
  readonly linkSeconds: number;
  readonly openAi: OpenAiSettings;
}

/** One of the calls that respond with images. */
interface CallKind {
  readonly path: string;
  readonly events: EventFamily;
}

/** Submission of a call. */
interface CallBody {
  readonly mapped: MappedRequest;
  readonly body: ImageRequestFields;
  /** Fields of the caller, which identify equal requests together with the inputs. */
  readonly fields: unknown;
  readonly inputs?: readonly RequestedInput[];
}

/** Accepted call, which waits for its job. */
interface AcceptedCall {
  readonly mapped: MappedRequest;
  readonly preferences: Preferences;
  readonly job: ImageJob;
  readonly isJoined: boolean;
  readonly report: (outcome: 'delivered' | 'disconnected') => Promise<void>;
  /** Returns the slot of the waiting caller. */
  readonly leave: () => void;
}

/** Pause between two reads while the store is unavailable: it refuses at once, and waiting callers are many. */
const outagePauseMs = 1_000;

/** Creates the common part of the calls that respond with images: they submit or join a job and wait for its end. */
export function createImagesCall(deps: ImagesCallDeps, kind: CallKind) {
  const { jobs, openAi, draining } = deps;
  const sourcesFor = createImageSources(deps);

  async function submit(
    request: FastifyRequest,
    { mapped, fields, ...call }: CallBody,
  ): Promise<AcceptedCall> {
    const preferences = preferencesFrom(request.headers.prefer);
    const leave = enterSlot(deps.longPollSlots, request);
    try {
      const submitted = await jobs.submitOrJoin({
        caller: callerOf(request),
        ...call,
        warnings: mapped.warnings,
        idempotencyKey: idempotencyKeyFrom(request.headers['idempotency-key']),
        isRetry: Number(request.headers['x-stainless-retry-count'] ?? 0) > 0,
        identity: `${kind.path} ${canonicalJson(fields)}`,
        ...jobTraceOf(request),
        origin: deps.addresses.storedOriginOf(request),
      });
      request.jobId = submitted.job.id;
      return { ...submitted, mapped, preferences, leave };
    } catch (error) {
      leave();
      throw error;
    }
  }

  async function send(
    request: FastifyRequest,
    reply: FastifyReply,
    accepted: AcceptedCall,
  ): Promise<unknown> {
    const { mapped, preferences, job, isJoined, report, leave } = accepted;
    const headers = { ...headersOf(accepted), ...deps.lifecycleHeadersOf(job.request?.model) };
    if (preferences.isAsync) {
      leave();
      reply.headers(headers);
      return deps.sendAccepted(request, reply, { job, replayed: isJoined, preferences });
    }
    const gone = untilCallerLeaves(draining, reply);
    const expected = deps.sharedImages.expect(job.id);
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
        events: kind.events,
        keepAlive: {
          form: keepAliveFormFor(request, openAi.interimResponses),
          firstMs: openAi.keepAliveSeconds * 1000,
        },
        writePieces: deps.writePieces,
        warnings: mapped.warnings,
        headers: { ...(reply.getHeaders() as Record<string, string>), ...headers },
        sourcesOf: (ended) => sourcesFor(request, ended, { format: mapped.form.format, expected }),
        partials: () => ({
          moments: jobs.streamJobEvents(job, 0, gone),
          open: async (storageKey) => (await jobs.readImage.open(storageKey)).body,
        }),
      },
      untilEnded(request, job, gone),
    )
      .catch((error) => abandon(request, reply, error))
      .finally(expected.end);
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

  return { submit, send };
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

function headersOf({ mapped, job, isJoined }: AcceptedCall): Record<string, string> {
  const { requestedModel } = mapped;
  return {
    'x-darkroom-job-id': job.id,
    'x-darkroom-model': job.request?.model ?? '',
    ...(requestedModel === undefined ? {} : { 'x-darkroom-requested-model': encodeURI(requestedModel) }),
    ...(isJoined ? { 'x-darkroom-joined': job.id } : {}),
  };
}
