import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError, type ErrorCode } from '../../../domain/errors.ts';
import { finalError, type ImageJob, jobError } from '../../../domain/image-job.ts';
import { isMediaGone } from '../../../domain/job-deadlines.ts';
import type { Clock } from '../../../domain/ports.ts';
import { costOfAttempts } from '../../../domain/view-job.ts';
import { circumstancesOf } from '../problem.ts';
import { createEventWriter, type EventWriter } from './event-writer.ts';
import {
  describeImage,
  describeWarnings,
  type ImageSource,
  imageEventPieces,
  imagesBody,
} from './images-response.ts';
import { type KeepAlive, sendSignOfLife, startKeepAlive } from './keep-alive.ts';
import type { ResponseForm } from './map-request.ts';
import { openFirst } from './open-first.ts';
import { jobFailure, openAiError } from './problem.ts';
import { type EventFamily, writePartials } from './write-partials.ts';
import type { WritePieces } from './write-pieces.ts';

/** Request that waits for its job, with the parameters of its response. */
export interface Waiting {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly form: ResponseForm;
  readonly events: EventFamily;
  readonly keepAlive: KeepAlive;
  readonly writePieces: WritePieces;
  readonly clock: Clock;
  /** Changes to the request and its ignored fields. */
  readonly warnings: readonly string[];
  /** Headers of every response of this request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Returns the sources of the images of a succeeded job, sorted by index. */
  readonly sourcesOf: (job: ImageJob) => Promise<readonly ImageSource[]>;
  /** Returns the moments of the job and their previews. Called for a stream only. */
  readonly partials: () => Omit<Parameters<typeof writePartials>[1], 'family' | 'ended'>;
}

/**
 * Responds to a request with the images or the failure of a job when `ended` resolves. Keep-alives hold the connection
 * open until then. Resolves when the whole response was written.
 *
 * @throws CallerGone if the connection closes first
 */
export async function respond(waiting: Waiting, ended: Promise<ImageJob>): Promise<void> {
  const { reply } = waiting;
  reply.hijack();
  if (waiting.form.stream) return respondWithEvents(waiting, ended);
  const { form, firstMs } = waiting.keepAlive;
  const stop = startKeepAlive(
    () => sendSignOfLife(reply.raw, form, { ...waiting.headers, 'content-type': 'application/json' }),
    firstMs,
  );
  const { job, failure, opened } = await openEnd(waiting, ended).finally(stop);
  if (failure) return writeFailure(waiting, failure, job);
  try {
    const body = imagesBody(job, opened.sources, describeWarnings(job, waiting.warnings));
    if (!reply.raw.headersSent) {
      reply.raw.writeHead(200, {
        ...waiting.headers,
        ...costHeader(job),
        'content-type': 'application/json',
        'content-length': body.sizeBytes,
      });
    }
    await waiting.writePieces(reply.raw, body.pieces());
    reply.raw.end();
  } finally {
    opened.close();
  }
}

/** Errors of a wait that a repeated request would meet again, and the end of this process. Every other error closes the connection. */
const lasting: ReadonlySet<ErrorCode> = new Set([
  'erased',
  'not_found',
  'unauthorized',
  'insufficient_scope',
  'tenant_suspended',
  'shutting_down',
]);

/** End of a wait: a job with images, or a failure. */
type End =
  | { readonly job: ImageJob; readonly failure: null }
  | { readonly job?: ImageJob; readonly failure: AppError };

/** Returns the end of a wait. Rejects if only a closed connection causes a retry that may get the images. */
async function endOf({ clock }: Waiting, ended: Promise<ImageJob>): Promise<End> {
  try {
    const job = await ended;
    return { job, failure: failureOf(job, clock()) };
  } catch (error) {
    if (error instanceof AppError && lasting.has(error.code)) return { failure: error };
    throw error;
  }
}

/** Returns the end of a wait with the first image open, so that signs of life continue while the storage is slow. */
async function openEnd(waiting: Waiting, ended: Promise<ImageJob>) {
  const end = await endOf(waiting, ended);
  if (end.failure) return { ...end, opened: null };
  return { ...end, opened: await openFirst(await waiting.sourcesOf(end.job)) };
}

/** Returns the failure of a job without images, or `null` for every other job. */
function failureOf(job: ImageJob, nowMs: number): AppError | null {
  if (isMediaGone(job, nowMs))
    return new AppError('not_found', {
      detail: 'The images of this job were deleted after their retention.',
    });
  if (job.status === 'succeeded') return null;
  if (job.status === 'canceled') return new AppError('canceled', { detail: 'The job was canceled.' });
  return jobFailure(finalError(job) ?? jobError('internal', 'possible'));
}

/** Returns the cost of an ended job as a header; none if the cost of any call is unknown. */
function costHeader(job: ImageJob): Record<string, string> {
  const cost = costOfAttempts(job.attempts);
  return cost === null ? {} : { 'x-darkroom-cost-micro-usd': String(cost) };
}

/** Returns the error of a wait. It is final, except that the retry of a request whose process stops joins its job. */
function errorOf(request: FastifyRequest, failure: AppError) {
  const isStopped = failure.code === 'shutting_down';
  const error = openAiError(failure, circumstancesOf(request), { isAccepted: !isStopped });
  if (!isStopped) return error;
  return { ...error, headers: { ...error.headers, 'x-should-retry': 'true', connection: 'close' } };
}

/** Writes a failure. The status is 200 if white space was sent before, and the body then has `error` and no `data`. */
function writeFailure({ request, reply, headers }: Waiting, failure: AppError, job?: ImageJob): void {
  const error = errorOf(request, failure);
  const text = JSON.stringify(error.body);
  if (!reply.raw.headersSent) {
    reply.raw.writeHead(error.status, {
      ...headers,
      ...(job ? costHeader(job) : {}),
      ...error.headers,
      'content-length': Buffer.byteLength(text),
    });
  }
  reply.raw.end(text);
}

/** Responds with the previews, then with one `completed` event per image. A failure becomes an `error` event, which official clients throw. */
async function respondWithEvents(waiting: Waiting, ended: Promise<ImageJob>): Promise<void> {
  const { raw } = waiting.reply;
  raw.writeHead(200, {
    ...waiting.headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const writer = createEventWriter(raw, waiting.writePieces);
  writer.comment('open');
  const stop = startKeepAlive(() => writer.comment('keep-alive'), waiting.keepAlive.firstMs);
  await writeEvents(waiting, writer, ended).finally(stop);
}

async function writeEvents(waiting: Waiting, writer: EventWriter, ended: Promise<ImageJob>): Promise<void> {
  const { request, reply } = waiting;
  const { raw } = reply;
  const [{ job, failure }] = await Promise.all([
    endOf(waiting, ended),
    writePartials(writer, { ...waiting.partials(), family: waiting.events, ended }),
  ]);
  if (failure) {
    const { body } = errorOf(request, failure);
    raw.end(`event: error\ndata: ${JSON.stringify({ type: 'error', error: body.error })}\n\n`);
    return;
  }
  const warnings = describeWarnings(job, waiting.warnings);
  const members = {
    created_at: Math.floor((job.finishedAt ?? job.updatedAt) / 1000),
    job_id: job.id,
    ...(warnings.length > 0 ? { warnings } : {}),
  };
  const sources = await waiting.sourcesOf(job);
  for (const [index, source] of sources.entries()) {
    const image = describeImage(job, { image: source.image, index, count: sources.length });
    const pieces = imageEventPieces(
      `${waiting.events}.completed`,
      { ...members, ...image },
      await source.open(),
    );
    await writer.write(pieces);
  }
  raw.end();
}
