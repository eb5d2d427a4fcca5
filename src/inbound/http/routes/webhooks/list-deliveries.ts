import type { FastifyInstance } from 'fastify';
import { type DeliveryStatus, deliveryStatuses } from '../../../../domain/webhook-delivery.ts';
import type { ListDeliveries } from '../../../../usecases/webhooks/list-deliveries.ts';
import { decodeCursor, pageOf } from '../../cursor.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { defaultPageSize, json, pageQuery, problems } from '../../responses.ts';

interface Deps {
  readonly webhooks: { readonly listDeliveries: ListDeliveries };
}

interface Query {
  limit?: number;
  cursor?: string;
  image_id?: string;
  endpoint_id?: string;
  status?: DeliveryStatus;
}

/** `GET /webhooks/deliveries` */
export function listDeliveriesRoute(app: FastifyInstance, { webhooks }: Deps): void {
  app.route<{ Querystring: Query }>({
    method: 'GET',
    url: '/webhooks/deliveries',
    config: { scope: 'webhooks' },
    schema: {
      operationId: 'listWebhookDeliveries',
      summary: 'List deliveries with their attempts',
      description:
        'Newest event first. A page may hold fewer deliveries than `limit`; read the next page while `has_more` is true.',
      tags: ['webhooks'],
      querystring: {
        type: 'object',
        properties: {
          ...pageQuery,
          image_id: { type: 'string', maxLength: 64, description: 'Only deliveries of this job.' },
          endpoint_id: { type: 'string', maxLength: 64, description: 'Only deliveries to this endpoint.' },
          status: {
            type: 'string',
            enum: [...deliveryStatuses],
            description: 'Only deliveries in this status.',
          },
        },
      },
      response: {
        200: json('A page of deliveries', 'WebhookDeliveryList'),
        ...problems({}),
      },
    },
    handler: async (request) => {
      const { limit = defaultPageSize, cursor, image_id, endpoint_id, status } = request.query;
      const { deliveries, nextBeforeId } = await webhooks.listDeliveries(callerOf(request).tenant, {
        limit,
        beforeId: decodeCursor(cursor, 'dlv'),
        jobId: image_id,
        destinationKey: endpoint_id,
        status,
      });
      return pageOf(deliveries, nextBeforeId);
    },
  });
}
