import type { FastifyInstance } from 'fastify';
import { covers } from '../../../../domain/api-key.ts';
import { AppError } from '../../../../domain/errors.ts';
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
        'Signs what goes to the `webhook` of a job. Registered endpoints have secrets of their own. Where one secret signs for all tenants only a key with the scope `admin` may read it.',
      tags: ['webhooks'],
      response: {
        200: json('The secret', 'TenantWebhookSecret', { headers: { 'cache-control': header.cacheControl } }),
        ...problems({}),
      },
    },
    handler: async (request, reply) => {
      const { tenant, scopes } = callerOf(request);
      if (context.sharesWebhookSecret && !covers(scopes, 'admin')) {
        throw new AppError('insufficient_scope', {
          detail: 'One secret signs for all tenants of this deployment: its operator gives it to receivers.',
        });
      }
      reply.header('cache-control', 'no-store');
      return { object: 'webhook_secret', secret: context.webhookSecretOf(tenant) };
    },
  });
}
