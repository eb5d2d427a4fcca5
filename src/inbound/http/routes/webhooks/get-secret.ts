import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../../domain/errors.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { header, json, problems } from '../../responses.ts';

interface Deps {
  readonly webhooks: { readonly webhookSecretOf: (tenant: string) => string };
  /** Whether one secret signs the webhooks of all tenants. */
  readonly sharesWebhookSecret: boolean;
}

/** `GET /webhooks/secret` */
export function getSecretRoute(app: FastifyInstance, { webhooks, sharesWebhookSecret }: Deps): void {
  app.route({
    method: 'GET',
    url: '/webhooks/secret',
    config: { scope: 'webhooks' },
    schema: {
      operationId: 'getWebhookSecret',
      summary: 'Read the secret of job webhooks',
      description:
        'Signs deliveries to the `webhook` of a job. Registered endpoints have their own secrets. If one secret signs for all tenants, only `ADMIN_KEY` may read it.',
      tags: ['webhooks'],
      response: {
        200: json('The secret', 'TenantWebhookSecret', { headers: { 'cache-control': header.cacheControl } }),
        ...problems({}),
      },
    },
    handler: async (request, reply) => {
      const { tenant, isOperator } = callerOf(request);
      if (sharesWebhookSecret && !isOperator) {
        throw new AppError('insufficient_scope', {
          detail: 'One secret signs for all tenants of this deployment. Request it from the operator.',
        });
      }
      reply.header('cache-control', 'no-store');
      return { object: 'webhook_secret', secret: webhooks.webhookSecretOf(tenant) };
    },
  });
}
