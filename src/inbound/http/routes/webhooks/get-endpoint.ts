import type { FastifyInstance } from 'fastify';
import type { ManageEndpoints } from '../../../../usecases/webhooks/manage-endpoints.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { endpointParams, json, problems } from '../../responses.ts';

interface Deps {
  readonly webhooks: { readonly manageEndpoints: Pick<ManageEndpoints, 'get'> };
}

/** `GET /webhooks/endpoints/{id}` */
export function getEndpointRoute(app: FastifyInstance, { webhooks }: Deps): void {
  app.route<{ Params: { id: string } }>({
    method: 'GET',
    url: '/webhooks/endpoints/:id',
    config: { scope: 'webhooks' },
    schema: {
      operationId: 'getWebhookEndpoint',
      summary: 'Read an endpoint',
      description: 'Includes its history and its health, without its secret.',
      tags: ['webhooks'],
      params: endpointParams,
      response: { 200: json('The endpoint', 'WebhookEndpoint'), ...problems({ params: true }, 'not_found') },
    },
    handler: (request) => webhooks.manageEndpoints.get(callerOf(request).tenant, request.params.id),
  });
}
