import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { imageEventTypes } from '../../../domain/image-request.ts';

const about = `Order pictures, durably: \`POST /images\` accepts a job that survives the death of any process, a worker has it
made by OpenAI's image models, and you learn of it by poll, long-poll, event stream or signed webhook.

Errors are \`application/problem+json\` (RFC 9457) with a stable \`code\`; the same body holds OpenAI's \`error\` member.
Webhooks follow Standard Webhooks 1.0.0.`;

/**
 * The OpenAPI 3.1 document, made from the routes: served as JSON, YAML and a page to read and try. Registered before
 * the routes, so that it sees them.
 */
export async function useDocument(app: FastifyInstance, options: { version: string }): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Darkroom', version: options.version, description: about, license: { name: 'MIT' } },
      servers: [{ url: '/' }],
      tags: [
        { name: 'images', description: 'Order, follow, read and erase pictures.' },
        { name: 'catalogue', description: 'What can be ordered.' },
        { name: 'operations', description: 'For those who run it.' },
      ],
      components: {
        securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key.' } },
      },
      webhooks: Object.fromEntries(imageEventTypes.map((type) => [type, webhookOf(type)])),
    },
    refResolver: { buildLocalReference: (json, _baseUri, _fragment, i) => String(json.$id ?? `def-${i}`) },
    transform: ({ schema, url, route }) => {
      const security = route.config?.scope ? { security: [{ apiKey: [] }] } : { security: [] };
      return { schema: { ...security, ...schema }, url };
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  app.get('/openapi.yaml', { schema: { hide: true } }, (_request, reply) =>
    reply.header('content-type', 'application/yaml; charset=utf-8').send(app.swagger({ yaml: true })),
  );
}

/** One event of the `webhooks` section. */
function webhookOf(type: string) {
  const text = { type: 'string' as const };
  return {
    post: {
      operationId: `on${type
        .split('.')
        .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
        .join('')}`,
      summary: `${type}: sent when a job reaches this status`,
      description:
        'Signed as Standard Webhooks; `data` is the job as polling shows it. Answer 2xx within 15 seconds.',
      security: [],
      parameters: [
        { name: 'webhook-id', in: 'header' as const, required: true, schema: text },
        { name: 'webhook-timestamp', in: 'header' as const, required: true, schema: text },
        { name: 'webhook-signature', in: 'header' as const, required: true, schema: text },
      ],
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { $ref: '#/components/schemas/WebhookEvent' } } },
      },
      responses: { '2XX': { description: 'Taken. Anything else is tried again.' } },
    },
  };
}
