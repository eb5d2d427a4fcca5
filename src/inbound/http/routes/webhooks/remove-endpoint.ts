import type { FastifyInstance } from 'fastify';
import type { ManageEndpoints } from '../../../../usecases/webhooks/manage-endpoints.ts';
import { authorOf } from '../../manager.ts';
import { empty, endpointParams, problems } from '../../responses.ts';

interface Deps {
  readonly webhooks: { readonly manageEndpoints: Pick<ManageEndpoints, 'delete'> };
}

/** `DELETE /webhooks/endpoints/{id}` */
export function removeEndpointRoute(app: FastifyInstance, { webhooks }: Deps): void {
  app.route<{ Params: { id: string } }>({
    method: 'DELETE',
    url: '/webhooks/endpoints/:id',
    config: { scope: 'webhooks' },
    schema: {
      operationId: 'removeWebhookEndpoint',
      summary: 'Remove an endpoint',
      description: 'Ends its pending deliveries. Their log stays for its retention.',
      tags: ['webhooks'],
      params: endpointParams,
      response: { 204: empty('Removed'), ...problems({ body: true, params: true }, 'not_found') },
    },
    handler: async (request, reply) => {
      await webhooks.manageEndpoints.delete(authorOf(request), request.params.id);
      return reply.code(204).send();
    },
  });
}
