import type { FastifyInstance } from 'fastify';
import type { CheckReadiness } from '../../../usecases/maintenance/check-readiness.ts';
import { json, problems, raw } from '../responses.ts';

interface Deps {
  readonly checkReadiness: CheckReadiness;
  readonly metrics: { render(): Promise<{ contentType: string; text: string }> };
}

/** `/livez`, `/readyz`, `/metrics`: probes for orchestrators and Prometheus. They need no key. */
export function probeRoutes(app: FastifyInstance, { checkReadiness, metrics }: Deps): void {
  app.route({
    method: 'GET',
    url: '/livez',
    schema: {
      operationId: 'live',
      summary: 'Liveness of this process',
      description: 'Checks no dependency.',
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
      summary: 'Readiness of this process',
      description:
        'Checks a write to Redis, the storage and the spool of a worker. Fails from the moment the process begins to stop.',
      tags: ['operations'],
      response: {
        ...problems({ open: true }),
        200: json('Ready', 'Health'),
        503: json('Not ready. The failing check has the reason', 'Health'),
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
      description: 'While Redis is unreachable `darkroom_store_up` is 0 and figures from Redis are absent.',
      tags: ['operations'],
      response: { 200: raw('The metrics', ['text/plain']), ...problems({ open: true }) },
    },
    handler: async (_request, reply) => {
      const { contentType, text } = await metrics.render();
      return reply.header('content-type', contentType).send(text);
    },
  });
}
