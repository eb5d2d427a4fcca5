import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../domain/errors.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import type { ImageJobView } from '../../domain/job-view.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { Clock } from '../../domain/ports.ts';
import type { Presets } from '../../domain/preset.ts';
import type { FileLinks } from '../../lib/crypto/file-link.ts';
import type { TenantSlots } from '../../lib/tenant-slots.ts';
import type { Authenticate } from '../../usecases/access/authenticate.ts';
import type { CancelJob } from '../../usecases/jobs/cancel-job.ts';
import type { EraseJob } from '../../usecases/jobs/erase-job.ts';
import type { GetJob } from '../../usecases/jobs/get-job.ts';
import type { ListJobs } from '../../usecases/jobs/list-jobs.ts';
import type { PresentJob } from '../../usecases/jobs/present-job.ts';
import type { ReadContent } from '../../usecases/jobs/read-image.ts';
import type { RetryJob } from '../../usecases/jobs/retry-job.ts';
import type { StreamJobEvents } from '../../usecases/jobs/stream-job-events.ts';
import type { SubmitJob } from '../../usecases/jobs/submit-job.ts';
import type { CheckReadiness } from '../../usecases/maintenance/check-readiness.ts';
import type { ManageEndpoints } from '../../usecases/webhooks/manage-endpoints.ts';
import type { ReadDeliveries } from '../../usecases/webhooks/read-deliveries.ts';
import type { Redeliver } from '../../usecases/webhooks/redeliver.ts';
import type { TestEndpoint } from '../../usecases/webhooks/test-endpoint.ts';

/** What the routes work with. */
export interface HttpContext {
  readonly authenticate: Authenticate;
  readonly submitJob: SubmitJob;
  readonly getJob: GetJob;
  readonly listJobs: ListJobs;
  readonly streamJobEvents: StreamJobEvents;
  readonly cancelJob: CancelJob;
  readonly eraseJob: EraseJob;
  readonly retryJob: RetryJob;
  readonly readContent: ReadContent;
  readonly presentJob: PresentJob;
  readonly manageEndpoints: ManageEndpoints;
  readonly testEndpoint: TestEndpoint;
  readonly readDeliveries: ReadDeliveries;
  readonly redeliver: Redeliver;
  /** Signs the webhooks that jobs of a tenant name. */
  readonly webhookSecretOf: (tenant: string) => string;
  /** Whether that is the same secret for all of them. */
  readonly sharesWebhookSecret: boolean;
  readonly checkReadiness: CheckReadiness;
  readonly catalogue: ModelCatalogue;
  readonly presets: Presets;
  readonly renderMetrics: () => Promise<{ contentType: string; text: string }>;
  readonly observeRequest: (route: string, method: string, status: number, seconds: number) => void;
  readonly fileLinks: Pick<FileLinks, 'verify'>;
  readonly clock: Clock;
  /** For long polls and event streams. */
  readonly longPollSlots: TenantSlots;
  readonly publicUrl: string | undefined;
  readonly linkSeconds: number;
  /** Whether this process answers callers, or only those who watch it. */
  readonly publicApi: boolean;
  /** Aborts when the process begins to stop: waiting requests answer at once. */
  readonly draining: AbortSignal;
}

/** Seconds after which polling again makes sense. */
export const pollSeconds = 2;

/** The address under which the caller reached us. */
export function publicUrlOf(context: HttpContext, request: FastifyRequest): string {
  return context.publicUrl ?? `${request.protocol}://${request.host}`;
}

/** Where webhooks can tell of a job that is ordered now; a deployment that knows its address needs no other. */
export function storedOrigin(context: HttpContext, request: FastifyRequest): string | undefined {
  return context.publicUrl === undefined ? publicUrlOf(context, request) : undefined;
}

/** Takes no order once the process begins to stop. @throws AppError `shutting_down` */
export function refuseWhileStopping(context: HttpContext): void {
  if (!context.draining.aborted) return;
  throw new AppError('shutting_down', { detail: 'This instance takes no more orders. Try again.' });
}

/** Shows a job to the caller of a request. */
export function present(
  context: HttpContext,
  request: FastifyRequest,
  job: ImageJob,
  options: { withPosition?: boolean } = {},
): Promise<ImageJobView> {
  return context.presentJob(job, {
    publicUrl: publicUrlOf(context, request),
    linkSeconds: context.linkSeconds,
    ...options,
  });
}

/**
 * Aborts when the caller hangs up, when the answer is given, or when the process begins to stop; it is aborted already
 * where that happened before. A caller who leaves never cancels a job.
 *
 * Listens by hand: on Node 20 `AbortSignal.any` keeps what it made alive as long as its longest-lived source.
 */
export function untilCallerLeaves(
  { draining }: Pick<HttpContext, 'draining'>,
  reply: FastifyReply,
): AbortSignal {
  const gone = new AbortController();
  const response = reply.raw;
  // An answer that waits behind another one of its connection is not told that the connection is gone.
  const { socket } = reply.request.raw;
  const leave = () => {
    draining.removeEventListener('abort', leave);
    response.off('close', leave);
    socket.off('close', leave);
    gone.abort();
  };
  if (draining.aborted || response.closed || socket.destroyed) {
    gone.abort();
    return gone.signal;
  }
  draining.addEventListener('abort', leave);
  response.once('close', leave);
  // As many may wait on one connection as its caller sends ahead.
  socket.setMaxListeners(0).once('close', leave);
  return gone.signal;
}
