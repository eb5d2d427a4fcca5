import type { FastifyInstance } from 'fastify';
import type { SecretRotation } from '../../../../domain/webhook-endpoint.ts';
import type { ManageEndpoints } from '../../../../usecases/webhooks/manage-endpoints.ts';
import { ref } from '../../json-schema.ts';
import { authorOf } from '../../manager.ts';
import { endpointParams, header, json, problems } from '../../responses.ts';

interface Deps {
  readonly webhooks: { readonly manageEndpoints: Pick<ManageEndpoints, 'rotateSecret'> };
}

/** `POST /webhooks/endpoints/{id}/rotate-secret` */
export function rotateSecretRoute(app: FastifyInstance, { webhooks }: Deps): void {
  app.route<{ Params: { id: string }; Body: SecretRotation }>({
    method: 'POST',
    url: '/webhooks/endpoints/:id/rotate-secret',
    config: { scope: 'webhooks', hasOptionalBody: true },
    schema: {
      operationId: 'rotateWebhookSecret',
      summary: 'Rotate the secret of an endpoint',
      description:
        'The earlier secrets also sign for the grace period. After a leak, pass a `grace_s` of 0. Only this response contains the new secret.',
      tags: ['webhooks'],
      params: endpointParams,
      body: ref('SecretRotation'),
      response: {
        200: json('The endpoint with its new secret', 'NewWebhookEndpoint', {
          headers: { 'cache-control': header.cacheControl },
        }),
        ...problems({ body: true, params: true }, 'not_found', 'too_many_secrets'),
      },
    },
    handler: async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return webhooks.manageEndpoints.rotateSecret(authorOf(request), request.params.id, request.body);
    },
  });
}
