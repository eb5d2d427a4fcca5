import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import type { ImageJob } from '../../../domain/image-job.ts';
import type { ImageRequestFields } from '../../../domain/image-request.ts';
import type { Clock, RequestedInput } from '../../../domain/ports.ts';
import { canonicalJson } from '../../../lib/canonical-json.ts';
import type { GracefulWaits } from '../../../lib/graceful-waits.ts';
import type { SharedBytes } from '../../../lib/shared-bytes.ts';
import type { TenantSlots } from '../../../lib/tenant-slots.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import type { Addresses } from '../addresses.ts';
import { idempotencyKeyFrom, type Preferences, preferencesFrom } from '../headers.ts';
import { jobTraceOf } from '../job-trace.ts';
import type { LifecycleHeadersOf } from '../model-lifecycle.ts';
import { callerOf } from '../plugins/authenticate.ts';
import type { SendAccepted } from '../send-accepted.ts';
import { whileAllowed } from '../while-allowed.ts';
import { earlierTriesOf } from './earlier-tries.ts';
import { createImageSources } from './image-sources.ts';
import { type InterimResponses, keepAliveFormFor } from './keep-alive.ts';
import type { MappedRequest } from './map-request.ts';
import type { ModelMap } from './model-map.ts';
import { respond } from './respond.ts';
import { checkModelName, responseHeaders } from './response-headers.ts';
import { CallerLeft, waitForEnd } from './wait-for-end.ts';
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
  /** Waits that a stopping process lets end within its grace period. */
  readonly gracefulWaits: Pick<GracefulWaits, 'over' | 'begin'>;
  readonly linkSeconds: number;
  readonly clock: Clock;
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

/** Accepted call, which waits for its job. Its delivery is observed since the acceptance, whatever happens next. */
interface AcceptedCall {
  readonly mapped: MappedRequest;
  readonly preferences: Preferences;
  readonly job: ImageJob;
  readonly isJoined: boolean;
  /** Records that the response will not have the images, so that an equal request joins the job. Never rejects. */
  readonly recordUndelivered: () => Promise<void>;
  /** Closes the connection of a response that cannot be completed. */
  readonly cut: () => void;
}

/** Creates the common part of the calls that respond with images: they submit or join a job and wait for its end. */
export function createImagesCall(deps: ImagesCallDeps, kind: CallKind) {
  const { jobs, openAi, draining, gracefulWaits } = deps;
  const sourcesFor = createImageSources(deps);

  async function submit(
    request: FastifyRequest,
    reply: FastifyReply,
    { mapped, fields, ...call }: CallBody,
  ): Promise<AcceptedCall> {
    const preferences = preferencesFrom(request.headers.prefer);
    checkModelName(mapped.requestedModel);
    const earlierTries = earlierTriesOf(request);
    let leave = () => {};
    try {
      const { job, isJoined, report, withdraw } = await jobs.submitOrJoin({
        caller: callerOf(request),
        ...call,
        warnings: mapped.warnings,
        recheck: request.checkAccess ?? undefined,
        idempotencyKey: idempotencyKeyFrom(request.headers['idempotency-key']),
        earlierTries,
        identity: `${kind.path} ${canonicalJson(fields)}`,
        admit: () => {
          leave = enterSlot(deps.longPollSlots, request);
        },
        countsCallers: openAi.cancelOnDisconnect,
        ...jobTraceOf(request),
        origin: deps.addresses.storedOriginOf(request),
      });
      request.jobId = job.id;
      let isUndelivered = false;
      const recordUndelivered = () => {
        isUndelivered = true;
        return report('disconnected');
      };
      const cut = watchDelivery(request.raw.socket, reply.raw, {
        onEnd: leave,
        onDelivery(delivery) {
          if (isUndelivered) return;
          // A connection that this process closes when it stops is no disconnect of the caller.
          const hasLeft = delivery === 'disconnected' && !draining.aborted;
          if (hasLeft && openAi.cancelOnDisconnect) void cancelUnlessShared(request, job, withdraw);
          else void report(delivery === 'delivered' ? 'delivered' : 'disconnected');
        },
      });
      return { job, isJoined, mapped, preferences, recordUndelivered, cut };
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Responds with the images, or with the job if the caller prefers an asynchronous response. */
  async function send(
    request: FastifyRequest,
    reply: FastifyReply,
    { job, isJoined, mapped, preferences, recordUndelivered, cut }: AcceptedCall,
  ): Promise<unknown> {
    const headers = {
      ...responseHeaders({ job, isJoined, requestedModel: mapped.requestedModel }),
      ...deps.lifecycleHeadersOf(job.request?.model),
    };
    if (preferences.isAsync) {
      reply.headers(headers);
      return deps.sendAccepted(request, reply, { job, replayed: isJoined, preferences });
    }
    const endWait = gracefulWaits.begin();
    const gone = whileAllowed(gracefulWaits.over, reply);
    const expected = deps.sharedImages.expect(job.id);
    const ended = waitForEnd(jobs.getJob, request, { tenant: job.tenant, id: job.id, gone }).catch(
      async (error) => {
        const isStopped = gracefulWaits.over.aborted && !reply.raw.destroyed && !request.raw.socket.destroyed;
        if (!(error instanceof CallerLeft) || !isStopped) throw error;
        // The record comes before the response, because the retry may arrive at once at another process.
        await recordUndelivered();
        throw new AppError('shutting_down', {
          detail: 'This instance stops before the images are ready. Repeat the request to join its job.',
          retryAfterSeconds: 1,
        });
      },
    );
    ended.catch(() => {});
    try {
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
          clock: deps.clock,
          warnings: mapped.warnings,
          headers: { ...(reply.getHeaders() as Record<string, string>), ...headers },
          sourcesOf: (last) => sourcesFor(request, last, { format: mapped.form.format, expected, gone }),
          partials: () => ({
            moments: jobs.streamJobEvents(job, 0, gone),
            open: async (storageKey) => (await jobs.readImage.open(storageKey)).body,
          }),
        },
        ended,
      );
    } catch (error) {
      // The client then retries and joins the job. An error body would not reliably cause this retry.
      if (!(error instanceof CallerLeft)) request.log.warn({ err: error }, 'response not completed');
      cut();
    } finally {
      expected.end();
      endWait();
    }
  }

  /** Cancels the job of a caller who left, unless another request waits for the job. */
  async function cancelUnlessShared(
    request: FastifyRequest,
    { tenant, id }: ImageJob,
    withdraw: () => Promise<boolean>,
  ): Promise<void> {
    if (!(await withdraw())) return;
    await jobs.cancelJob(tenant, id).catch((error) => {
      if (error instanceof AppError && error.code === 'already_terminal') return;
      request.log.warn({ err: error, job_id: id }, 'job of a disconnected caller not canceled');
    });
  }

  return { submit, send };
}

function enterSlot(slots: TenantSlots, request: FastifyRequest): () => void {
  const leave = slots.enter(callerOf(request).tenant);
  if (leave) return leave;
  throw new AppError('too_many_requests', { detail: 'Too many waiting requests. Retry later.' });
}
