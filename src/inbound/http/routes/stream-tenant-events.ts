import type { FastifyInstance } from 'fastify';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import type { SendEvents } from '../event-stream.ts';
import { ref } from '../json-schema.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { requestHeader } from '../request-headers.ts';
import { header, problems, raw } from '../responses.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'streamTenantEvents'>;
  readonly sendEvents: SendEvents;
}

/** `GET /events`: server-sent events of all jobs of the tenant. */
export function streamTenantEventsRoute(app: FastifyInstance, { jobs, sendEvents }: Deps): void {
  app.route({
    method: 'GET',
    url: '/events',
    config: { scope: 'images:read' },
    schema: {
      operationId: 'streamEvents',
      summary: 'Stream the events of all jobs',
      description:
        'Server-sent events, each an `ImageEvent`, of all jobs of the tenant. The stream starts with the next event. It has no last event, and ends within two seconds after the key loses its access. `Last-Event-ID` resumes it for one hour. An id without data comes first, so that a stream that was cut before its first event can be resumed.',
      tags: ['images'],
      headers: { type: 'object', properties: { 'last-event-id': requestHeader.lastEventId } },
      response: {
        200: raw('The events. The `data` of each is an `ImageEvent`', ['text/event-stream'], {
          schema: ref('ImageEvent'),
          headers: { 'cache-control': header.cacheControl },
        }),
        ...problems({}, 'too_many_requests'),
      },
    },
    handler: async (request, reply) => {
      const { tenant } = callerOf(request);
      const lastEventId = request.headers['last-event-id'];
      // Before the response begins, so that a caller who sees its headers misses no later event.
      const source = await jobs.streamTenantEvents(tenant, lastEventId?.toString());
      return sendEvents(request, reply, { tenant, ...source });
    },
  });
}
