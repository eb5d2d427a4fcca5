import type { FastifyInstance } from 'fastify';
import type { CheckReadiness } from '../../../usecases/maintenance/check-readiness.ts';
import { json, problems, raw } from '../responses.ts';

interface Deps {
  readonly checkReadiness: CheckReadiness;
  readonly metrics: { render(): Promise<{ contentType: string; text: string }> };
}

/** `/livez`, `/readyz`, `/metrics`: for machines that run machines. They need no key. */
export function probeRoutes(app: FastifyInstance, { checkReadiness, metrics }: Deps): void {
  app.route({
    method: 'GET',
    url: '/livez',
    schema: {
      operationId: 'live',
      summary: 'Is the process alive',
      description: 'Touches nothing.',
      tags: ['operations'],
      response: { 200: json('Alive', 'Health'), ...problems({ open: true }) },
    },
    handler: async () => ({ status: 'ok', checks: {} }),
  });

  app.route({
    method: 'GET',
    url: '/readyz',
    schema: {
      operationId: 'ready',
      summary: 'Can this process do its work',
      description:
        'Writes to Redis, asks the storage, and is red from the moment the process begins to stop until it ends.',
      tags: ['operations'],
      response: {
        ...problems({ open: true }),
        200: json('Ready', 'Health'),
        503: json('Not ready; the failing part says why', 'Health'),
      },
    },
    handler: async (_request, reply) => {
      const { ok, checks } = await checkReadiness();
      return reply
        .code(ok ? 200 : 503)
        .header('cache-control', 'no-store')
        .send({ status: ok ? 'ok' : 'unavailable', checks });
    },
  });

  app.route({
    method: 'GET',
    url: '/metrics',
    schema: {
      operationId: 'metrics',
      summary: 'Metrics in the Prometheus text format',
      description:
        'While Redis does not answer `darkroom_store_up` is 0 and what only Redis knows is left out.',
      tags: ['operations'],
      response: { 200: raw('The metrics', ['text/plain']), ...problems({ open: true }) },
    },
    handler: async (_request, reply) => {
      const { contentType, text } = await metrics.render();
      return reply.header('content-type', contentType).send(text);
    },
  });
}
