import type { FastifyInstance } from 'fastify';
import type { EndpointPatch } from '../../../../domain/webhook-endpoint.ts';
import type { ManageEndpoints } from '../../../../usecases/webhooks/manage-endpoints.ts';
import { ref } from '../../json-schema.ts';
import { authorOf } from '../../manager.ts';
import { endpointParams, json, problems } from '../../responses.ts';

interface Deps {
  readonly webhooks: { readonly manageEndpoints: Pick<ManageEndpoints, 'update'> };
}

/** `PATCH /webhooks/endpoints/{id}` */
export function changeEndpointRoute(app: FastifyInstance, { webhooks }: Deps): void {
  app.route<{ Params: { id: string }; Body: EndpointPatch }>({
    method: 'PATCH',
    url: '/webhooks/endpoints/:id',
    config: { scope: 'webhooks' },
    schema: {
      operationId: 'changeWebhookEndpoint',
      summary: 'Update an endpoint',
      description:
        'Absent fields stay unchanged. Pending deliveries go to the new URL; disabling the endpoint ends them.',
      tags: ['webhooks'],
      params: endpointParams,
      body: ref('WebhookEndpointPatch'),
      response: {
        200: json('The endpoint', 'WebhookEndpoint'),
        ...problems({ body: true, params: true }, 'not_found', 'destination_forbidden'),
      },
    },
    handler: (request) => webhooks.manageEndpoints.update(authorOf(request), request.params.id, request.body),
  });
}
