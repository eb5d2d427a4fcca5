import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import { isTerminal } from '../../../domain/image-job.ts';
import type { ImageJobView } from '../../../domain/job-view.ts';
import type { TenantSlots } from '../../../lib/tenant-slots.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import type { ImageMoment } from '../../../usecases/jobs/stream-job-events.ts';
import { untilCallerLeaves } from '../draining.ts';
import { ref } from '../json-schema.ts';
import { callerOf } from '../plugins/authenticate.ts';
import type { PresentTo } from '../present-to.ts';
import { empty, header, idParams, problems, raw } from '../responses.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'getJob' | 'streamJobEvents'>;
  readonly presentTo: PresentTo;
  readonly longPollSlots: TenantSlots;
  readonly draining: AbortSignal;
}

/** Pause between heartbeats. Proxies close connections that are silent for longer. */
const heartbeatMs = 15_000;

/** `GET /images/{id}/events`: server-sent events of a job until its end. */
export function streamJobEventsRoute(app: FastifyInstance, deps: Deps): void {
  const { jobs, presentTo, longPollSlots, draining } = deps;
  app.route<{ Params: { id: string } }>({
    method: 'GET',
    url: '/images/:id/events',
    config: { scope: 'images:read' },
    schema: {
      operationId: 'streamImageEvents',
      summary: 'Stream the events of a job',
      description:
        'Server-sent events, each an `ImageEvent`: one for every change of status or stage, and one for every stored image. The last event holds the job. `Last-Event-ID` resumes a broken stream. The response is 204 if no event is left.',
      tags: ['images'],
      params: idParams,
      headers: {
        type: 'object',
        properties: {
          'last-event-id': { type: 'string', description: 'Id of the last received event.' },
        },
      },
      response: {
        200: raw(
          'The events. The `data` of each is an `ImageEvent`',
          ['text/event-stream'],
          ref('ImageEvent'),
          {
            'cache-control': header.cacheControl,
          },
        ),
        204: empty('The job is terminal and `Last-Event-ID` is its last event'),
        ...problems({ params: true }, 'not_found', 'erased', 'too_many_requests'),
      },
    },
    handler: async (request, reply) => {
      const job = await jobs.getJob.get(callerOf(request).tenant, request.params.id);
      const seen = Number.parseInt(String(request.headers['last-event-id'] ?? '0'), 10) || 0;
      // A number above the last event would skip future events, including the terminal one.
      const after = Math.min(Math.max(0, seen), job.history.length);
      if (isTerminal(job.status) && after >= job.history.length) return reply.code(204).send();
      const leave = longPollSlots.enter(job.tenant);
      if (!leave) {
        throw new AppError('too_many_requests', {
          detail: 'Too many open streams. Poll, or retry later.',
        });
      }
      const signal = untilCallerLeaves(draining, reply);
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true });
      const moments = jobs.streamJobEvents(job, after, signal);
      reply
        .header('content-type', 'text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no');
      const render = async (moment: ImageMoment) => {
        const hasView = moment.image !== undefined || isTerminal(moment.status);
        const view = hasView ? await presentTo(request, moment.job) : undefined;
        return eventText(job.id, moment, view);
      };
      return reply.send(
        Readable.from(withHeartbeats(moments, render), { objectMode: false, highWaterMark: 1 }),
      );
    },
  });
}

function eventText(id: string, moment: ImageMoment, job: ImageJobView | undefined): string {
  // The image is absent if its retention is over.
  const image = job?.images.find(({ index }) => index === moment.image);
  const data = {
    id,
    type: moment.type,
    status: moment.status,
    stage: moment.stage,
    at: new Date(moment.at).toISOString(),
    ...(image ? { image } : {}),
    ...(isTerminal(moment.status) ? { job } : {}),
  };
  return `id: ${moment.no}\nevent: ${moment.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Forwards events, and adds comments in long pauses: clients ignore them, and proxies see traffic. */
async function* withHeartbeats(
  moments: AsyncGenerator<ImageMoment, void, undefined>,
  render: (moment: ImageMoment) => Promise<string>,
): AsyncGenerator<string, void, undefined> {
  // The first bytes are sent at once, so that the caller knows that the stream is open.
  yield ': open\n\n';
  try {
    for (let pending = moments.next(); ; ) {
      let timer: NodeJS.Timeout | undefined;
      const pause = new Promise<null>((resolve) => {
        timer = setTimeout(() => resolve(null), heartbeatMs);
      });
      const step = await Promise.race([pending, pause]);
      clearTimeout(timer);
      if (step === null) {
        yield ': still here\n\n';
        continue;
      }
      if (step.done) return;
      yield await render(step.value);
      pending = moments.next();
    }
  } finally {
    await moments.return();
  }
}
