import type { FastifyInstance } from 'fastify';
import type { ReportStatus } from '../../../../usecases/maintenance/report-status.ts';
import { header, json, problems } from '../../responses.ts';

interface Deps {
  readonly maintenance: { readonly reportStatus: ReportStatus };
}

/** `GET /admin/status` */
export function getStatusRoute(app: FastifyInstance, { maintenance }: Deps): void {
  app.route({
    method: 'GET',
    url: '/admin/status',
    config: { scope: 'admin', isForOperator: true },
    schema: {
      operationId: 'getStatus',
      summary: 'Read the status of the deployment',
      description:
        "Needs the operator's key. The response arrives within a second, and while Redis or the storage is down too: each part has a state of its own.",
      tags: ['operations'],
      response: {
        200: json('The status', 'SystemStatus', { headers: { 'cache-control': header.cacheControl } }),
        ...problems({}),
      },
    },
    handler: async (_request, reply) => {
      reply.header('cache-control', 'no-store');
      return maintenance.reportStatus();
    },
  });
}
