import type { FastifyInstance } from 'fastify';
import type { ReadDeliveries } from '../../../../usecases/webhooks/read-deliveries.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { deliveryParams, json, problems } from '../../responses.ts';

interface Deps {
  readonly webhooks: { readonly readDeliveries: Pick<ReadDeliveries, 'get'> };
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
    handler: (request) => webhooks.readDeliveries.get(callerOf(request).tenant, request.params.id),
  });
}
