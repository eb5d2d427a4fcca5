import type { FastifyInstance } from 'fastify';
import type { HttpContext } from '../../context.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { header, json, problems } from '../../responses.ts';

/** `GET /webhooks/secret` */
export function getSecretRoute(app: FastifyInstance, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/webhooks/secret',
    config: { scope: 'webhooks' },
    schema: {
      operationId: 'getWebhookSecret',
      summary: 'Read the secret of webhooks that orders name',
      description:
        'Signs what goes to the `webhook` of a job. Registered endpoints have secrets of their own.',
      tags: ['webhooks'],
      response: {
        200: json('The secret', 'TenantWebhookSecret', { headers: { 'cache-control': header.cacheControl } }),
        ...problems({}),
      },
    },
    handler: async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return { object: 'webhook_secret', secret: context.webhookSecretOf(callerOf(request).tenant) };
    },
  });
}
