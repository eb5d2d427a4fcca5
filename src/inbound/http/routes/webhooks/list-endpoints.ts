import type { FastifyInstance } from 'fastify';
import type { ManageEndpoints } from '../../../../usecases/webhooks/manage-endpoints.ts';
import { decodeCursor, pageOf } from '../../cursor.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { defaultPageSize, json, pageQuery, problems } from '../../responses.ts';

interface Deps {
  readonly webhooks: { readonly manageEndpoints: Pick<ManageEndpoints, 'list'> };
}

/** `GET /webhooks/endpoints` */
export function listEndpointsRoute(app: FastifyInstance, { webhooks }: Deps): void {
  app.route<{ Querystring: { limit?: number; cursor?: string } }>({
    method: 'GET',
    url: '/webhooks/endpoints',
    config: { scope: 'webhooks' },
    schema: {
      operationId: 'listWebhookEndpoints',
      summary: 'List the endpoints',
      description: 'Newest first.',
      tags: ['webhooks'],
      querystring: { type: 'object', properties: pageQuery },
      response: {
        200: json('A page of endpoints', 'WebhookEndpointList'),
        ...problems({}),
      },
    },
    handler: async (request) => {
      const { limit = defaultPageSize, cursor } = request.query;
      const { endpoints, nextBeforeId } = await webhooks.manageEndpoints.list(callerOf(request).tenant, {
        limit,
        beforeId: decodeCursor(cursor, 'whk'),
      });
      return pageOf(endpoints, nextBeforeId);
    },
  });
}
