import type { FastifyInstance } from 'fastify';
import { type ImageJob, isTerminal } from '../../../domain/image-job.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import type { SendEvents } from '../event-stream.ts';
import { ref } from '../json-schema.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { requestHeader } from '../request-headers.ts';
import { empty, header, idParams, problems, raw } from '../responses.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'getJob' | 'streamJobEvents'>;
  readonly sendEvents: SendEvents;
}

/** `GET /images/{id}/events`: server-sent events of a job until its end. */
export function streamJobEventsRoute(app: FastifyInstance, { jobs, sendEvents }: Deps): void {
  app.route<{ Params: { id: string } }>({
    method: 'GET',
    url: '/images/:id/events',
    config: { scope: 'images:read' },
    schema: {
      operationId: 'streamImageEvents',
      summary: 'Stream the events of a job',
      description:
        'Server-sent events, each an `ImageEvent`: one for every change of status or stage, every stored image, and every preview (`image.partial`, with a link). The last event holds the job. The stream ends without it within two seconds after the key loses its access. `Last-Event-ID` resumes a broken stream. The response is 204 if no event is left.',
      tags: ['images'],
      params: idParams,
      headers: { type: 'object', properties: { 'last-event-id': requestHeader.lastEventId } },
      response: {
        200: raw('The events. The `data` of each is an `ImageEvent`', ['text/event-stream'], {
          schema: ref('ImageEvent'),
          headers: { 'cache-control': header.cacheControl },
        }),
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
      return sendEvents(request, reply, {
        tenant: job.tenant,
        open: (signal) => eventsOf(jobs, { job, after }, signal),
      });
    },
  });
}

async function* eventsOf(
  jobs: Deps['jobs'],
  { job, after }: { readonly job: ImageJob; readonly after: number },
  signal: AbortSignal,
) {
  for await (const moment of jobs.streamJobEvents(job, after, signal)) {
    yield { eventId: String(moment.no), moment };
  }
}
