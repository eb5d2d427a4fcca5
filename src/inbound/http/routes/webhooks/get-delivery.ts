import type { FastifyInstance } from 'fastify';
import type { GetDelivery } from '../../../../usecases/webhooks/get-delivery.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { deliveryParams, json, problems } from '../../responses.ts';

interface Deps {
  readonly webhooks: { readonly getDelivery: GetDelivery };
}

/** `GET /webhooks/deliveries/{id}` */
export function getDeliveryRoute(app: FastifyInstance, { webhooks }: Deps): void {
  app.route<{ Params: { id: string } }>({
    method: 'GET',
    url: '/webhooks/deliveries/:id',
    config: { scope: 'webhooks' },
    schema: {
      operationId: 'getWebhookDelivery',
      summary: 'Read a delivery',
      description:
        'Includes every attempt with its time, request and response, and the time of the next attempt.',
      tags: ['webhooks'],
      params: deliveryParams,
      response: { 200: json('The delivery', 'WebhookDelivery'), ...problems({ params: true }, 'not_found') },
    },
    handler: (request) => webhooks.getDelivery(callerOf(request).tenant, request.params.id),
  });
}
