import type { FastifyInstance } from 'fastify';
import type { Redeliver } from '../../../../usecases/webhooks/redeliver.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { deliveryParams, json, problems } from '../../responses.ts';

interface Deps {
  readonly webhooks: { readonly redeliver: Redeliver };
}

/** `POST /webhooks/deliveries/{id}/redeliver` */
export function redeliverRoute(app: FastifyInstance, { webhooks }: Deps): void {
  app.route<{ Params: { id: string } }>({
    method: 'POST',
    url: '/webhooks/deliveries/:id/redeliver',
    config: { scope: 'webhooks' },
    schema: {
      operationId: 'redeliverWebhook',
      summary: 'Send a delivery again',
      description:
        'Sends the same event, with new links, under the same `webhook-id` and with a new schedule, whatever the status of the delivery. An attempt that runs already and succeeds is the redelivery.',
      tags: ['webhooks'],
      params: deliveryParams,
      response: {
        202: json('The delivery, which is due now', 'WebhookDelivery'),
        ...problems({ body: true, params: true }, 'not_found', 'erased', 'endpoint_disabled'),
      },
    },
    handler: async (request, reply) => {
      reply.code(202);
      return webhooks.redeliver(callerOf(request).tenant, request.params.id);
    },
  });
}
