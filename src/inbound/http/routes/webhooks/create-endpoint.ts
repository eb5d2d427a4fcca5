import type { FastifyInstance } from 'fastify';
import type { EndpointBody } from '../../../../domain/webhook-endpoint.ts';
import type { ManageEndpoints } from '../../../../usecases/webhooks/manage-endpoints.ts';
import { idempotencyKeyFrom } from '../../headers.ts';
import { ref } from '../../json-schema.ts';
import { authorOf } from '../../manager.ts';
import { idempotentHeaders } from '../../request-headers.ts';
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
      description:
        'The endpoint receives events of all jobs. Only this response contains its secret. A request with the same Idempotency-Key and body returns the same endpoint without its secret for 24 h; rotate the secret if the first response was lost.',
      tags: ['webhooks'],
      headers: idempotentHeaders('The same key with the same body registers no second endpoint.'),
      body: ref('WebhookEndpointRequest'),
      response: {
        200: json(
          'The endpoint of an earlier request with this Idempotency-Key, without its secret',
          'WebhookEndpoint',
          { headers: { 'idempotent-replayed': header.replayed, 'cache-control': header.cacheControl } },
        ),
        201: json('The endpoint with its secret', 'NewWebhookEndpoint', {
          headers: { location: header.location, 'cache-control': header.cacheControl },
        }),
        ...problems(
          { body: true },
          'invalid_idempotency_key',
          'idempotency_key_reused',
          'destination_forbidden',
          'too_many_endpoints',
          'store_full',
        ),
      },
    },
    handler: async (request, reply) => {
      const idempotencyKey = idempotencyKeyFrom(request.headers['idempotency-key']);
      const endpoint = await webhooks.manageEndpoints.create(authorOf(request), request.body, idempotencyKey);
      reply.header('cache-control', 'no-store');
      if (endpoint.secret === undefined) return reply.header('idempotent-replayed', 'true').send(endpoint);
      return reply.code(201).header('location', `/webhooks/endpoints/${endpoint.id}`).send(endpoint);
    },
  });
}
