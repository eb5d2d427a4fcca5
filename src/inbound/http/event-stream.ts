import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../domain/errors.ts';
import { isTerminal } from '../../domain/image-job.ts';
import { createRepeatedWait } from '../../lib/repeated-wait.ts';
import type { TenantSlots } from '../../lib/tenant-slots.ts';
import type { ImageMoment } from '../../usecases/jobs/stream-job-events.ts';
import type { PresentPreviewTo, PresentTo } from './present-to.ts';
import { whileAllowed } from './while-allowed.ts';

/** Pause between heartbeats. Proxies close connections that are silent for longer. */
const heartbeatMs = 15_000;

interface Deps {
  readonly presentTo: PresentTo;
  readonly presentPreviewTo: PresentPreviewTo;
  readonly longPollSlots: TenantSlots;
  readonly draining: AbortSignal;
}

interface StreamEvent {
  /** Value for `Last-Event-ID`. */
  readonly eventId: string;
  readonly moment: ImageMoment;
}

interface EventSource {
  readonly tenant: string;
  /** Id for `Last-Event-ID` that is sent before the first event. */
  readonly startId?: string;
  readonly open: (signal: AbortSignal) => AsyncGenerator<StreamEvent>;
}

/** Responds with a stream of server-sent events. */
export type SendEvents = (request: FastifyRequest, reply: FastifyReply, source: EventSource) => FastifyReply;

/**
 * Creates the function that sends event streams. A stream ends if the caller loses its access. The function throws
 * `too_many_requests` if no slot is free.
 */
export function createSendEvents({ presentTo, presentPreviewTo, longPollSlots, draining }: Deps): SendEvents {
  async function render(request: FastifyRequest, { eventId, moment }: StreamEvent): Promise<string> {
    const { image: index, partial } = moment;
    const hasPreview = index !== undefined && partial !== undefined;
    const preview = hasPreview ? await presentPreviewTo(request, moment.job, { index, partial }) : null;
    const hasView = (index !== undefined && !hasPreview) || isTerminal(moment.status);
    const job = hasView ? await presentTo(request, moment.job) : undefined;
    // The image is absent if its retention is over. A preview is absent an hour after the end of its job.
    const image = job?.images.find((each) => each.index === index);
    const data = {
      id: moment.job.id,
      type: moment.type,
      status: moment.status,
      stage: moment.stage,
      at: new Date(moment.at).toISOString(),
      ...(image ? { image } : {}),
      ...(preview ? { partial_image: preview } : {}),
      ...(isTerminal(moment.status) ? { job } : {}),
    };
    return `id: ${eventId}\nevent: ${moment.type}\ndata: ${JSON.stringify(data)}\n\n`;
  }

  return (request, reply, { tenant, startId, open }) => {
    const leave = longPollSlots.enter(tenant);
    if (!leave) {
      throw new AppError('too_many_requests', { detail: 'Too many open streams. Poll, or retry later.' });
    }
    const signal = whileAllowed(draining, reply);
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    const texts = withHeartbeats(startOf(startId), whileOpen(open(signal), signal), (event) =>
      render(request, event),
    );
    return reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .send(Readable.from(texts, { objectMode: false, highWaterMark: 1 }));
  };
}

/** Returns the first block. Clients dispatch no event for it, but remember its id. */
const startOf = (id: string | undefined) => `: open\n${id === undefined ? '' : `id: ${id}\n`}\n`;

/** Forwards events until the signal aborts, also if more are ready, as they are for a slow reader. */
async function* whileOpen(
  events: AsyncGenerator<StreamEvent>,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent, void, undefined> {
  for await (const event of events) {
    if (signal.aborted) return;
    yield event;
  }
}

/** Forwards events, and adds comments in long pauses, so that proxies see traffic. Clients ignore comments. */
async function* withHeartbeats(
  start: string,
  events: AsyncGenerator<StreamEvent>,
  render: (event: StreamEvent) => Promise<string>,
): AsyncGenerator<string, void, undefined> {
  // The first bytes are sent at once, so that the caller knows that the stream is open.
  yield start;
  try {
    for (;;) {
      const next = events.next();
      const wait = createRepeatedWait(next);
      while (!(await wait(heartbeatMs))) yield ': heartbeat\n\n';
      const step = await next;
      if (step.done) return;
      yield await render(step.value);
    }
  } finally {
    await events.return(undefined);
  }
}
