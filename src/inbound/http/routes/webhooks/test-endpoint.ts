import type { FastifyInstance } from 'fastify';
import type { TestEndpoint } from '../../../../usecases/webhooks/test-endpoint.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { endpointParams, json, problems } from '../../responses.ts';

interface Deps {
  readonly webhooks: { readonly testEndpoint: TestEndpoint };
}

/** `POST /webhooks/endpoints/{id}/test` */
export function testEndpointRoute(app: FastifyInstance, { webhooks }: Deps): void {
  app.route<{ Params: { id: string } }>({
    method: 'POST',
    url: '/webhooks/endpoints/:id/test',
    config: { scope: 'webhooks' },
    schema: {
      operationId: 'testWebhookEndpoint',
      summary: 'Test an endpoint',
      description:
        'Sends one signed `webhook.test` event and returns the response of the endpoint. It counts against the limits of webhook requests per minute.',
      tags: ['webhooks'],
      params: endpointParams,
      response: {
        200: json('The delivery with its attempt', 'WebhookDelivery'),
        ...problems({ body: true, params: true }, 'not_found', 'endpoint_disabled', 'store_full'),
      },
    },
    handler: (request) => webhooks.testEndpoint(callerOf(request).tenant, request.params.id),
  });
}
