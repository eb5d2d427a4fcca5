import type { FastifyInstance } from 'fastify';
import type { RecoverEndpoint } from '../../../../usecases/webhooks/recover-endpoint.ts';
import { ref } from '../../json-schema.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { endpointParams, json, problems } from '../../responses.ts';

interface Deps {
  readonly webhooks: { readonly recoverEndpoint: RecoverEndpoint };
}

/** `POST /webhooks/endpoints/{id}/recover` */
export function recoverEndpointRoute(app: FastifyInstance, { webhooks }: Deps): void {
  app.route<{ Params: { id: string }; Body: { since: string } }>({
    method: 'POST',
    url: '/webhooks/endpoints/:id/recover',
    config: { scope: 'webhooks' },
    schema: {
      operationId: 'recoverWebhookEndpoint',
      summary: 'Send missed events again',
      description:
        'Sends every failed delivery of events since a time again, with the same `webhook-id` and a new schedule.',
      tags: ['webhooks'],
      params: endpointParams,
      body: ref('WebhookRecovery'),
      response: {
        202: json('Number of deliveries that are sent again', 'WebhookRecoveryResult'),
        ...problems({ body: true, params: true }, 'not_found', 'endpoint_disabled'),
      },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      const sinceMs = Date.parse(request.body.since);
      const deliveries = await webhooks.recoverEndpoint(callerOf(request).tenant, id, sinceMs);
      const since = new Date(sinceMs).toISOString();
      return reply.code(202).send({ object: 'webhook_recovery', endpoint_id: id, since, deliveries });
    },
  });
}
