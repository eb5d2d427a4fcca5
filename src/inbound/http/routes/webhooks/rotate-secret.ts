import type { FastifyInstance } from 'fastify';
import type { ManageEndpoints } from '../../../../usecases/webhooks/manage-endpoints.ts';
import { ref } from '../../json-schema.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { endpointParams, header, json, problems } from '../../responses.ts';

interface Deps {
  readonly webhooks: { readonly manageEndpoints: Pick<ManageEndpoints, 'rotateSecret'> };
}

/** `POST /webhooks/endpoints/{id}/rotate-secret` */
export function rotateSecretRoute(app: FastifyInstance, { webhooks }: Deps): void {
  app.route<{ Params: { id: string }; Body: { secret?: string } }>({
    method: 'POST',
    url: '/webhooks/endpoints/:id/rotate-secret',
    config: { scope: 'webhooks' },
    // The body may be left out.
    preValidation: async (request) => {
      request.body ??= {};
    },
    schema: {
      operationId: 'rotateWebhookSecret',
      summary: 'Give an endpoint a new secret',
      description: 'Old and new secret both sign for 24 hours. The new one is shown this once.',
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
      const { tenant } = callerOf(request);
      return webhooks.manageEndpoints.rotateSecret(tenant, request.params.id, request.body.secret);
    },
  });
}
