import type { FastifyInstance } from 'fastify';
import type { EndpointBody } from '../../../../domain/webhook-endpoint.ts';
import type { ManageEndpoints } from '../../../../usecases/webhooks/manage-endpoints.ts';
import { ref } from '../../json-schema.ts';
import { authorOf } from '../../manager.ts';
import { header, json, problems } from '../../responses.ts';

interface Deps {
  readonly webhooks: { readonly manageEndpoints: Pick<ManageEndpoints, 'create'> };
}

/** `POST /webhooks/endpoints` */
export function createEndpointRoute(app: FastifyInstance, { webhooks }: Deps): void {
  app.route<{ Body: EndpointBody }>({
    method: 'POST',
    url: '/webhooks/endpoints',
    config: { scope: 'webhooks' },
    schema: {
      operationId: 'createWebhookEndpoint',
      summary: 'Register an endpoint',
      description: 'The endpoint receives events of all jobs. Only this response contains its secret.',
      tags: ['webhooks'],
      body: ref('WebhookEndpointRequest'),
      response: {
        201: json('The endpoint with its secret', 'NewWebhookEndpoint', {
          headers: { location: header.location, 'cache-control': header.cacheControl },
        }),
        ...problems({ body: true }, 'destination_forbidden', 'too_many_endpoints', 'store_full'),
      },
    },
    handler: async (request, reply) => {
      const endpoint = await webhooks.manageEndpoints.create(authorOf(request), request.body);
      return reply
        .code(201)
        .header('location', `/webhooks/endpoints/${endpoint.id}`)
        .header('cache-control', 'no-store')
        .send(endpoint);
    },
  });
}
