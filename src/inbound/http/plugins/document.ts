import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { eventTypes } from '../../../domain/webhook-event.ts';
import { endpointRequestExamples, imageRequestExamples } from '../examples.ts';
import type { JsonSchema } from '../json-schema.ts';
import { finishDocument } from './finish-document.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the document shows where it cannot follow from the route itself. */
    documented?: { url: string; params: JsonSchema; querystring: JsonSchema };
  }
}

const about = `Order images, durably: \`POST /images\` accepts a job that survives the death of any process, a worker has it
made by OpenAI's image models, and you learn of it by poll, long-poll, event stream or signed webhook.

Errors are \`application/problem+json\` (RFC 9457) with a stable \`code\`, all listed in
\`docs/errors.md\` of the source; the same body holds OpenAI's \`error\` member.
Webhooks follow Standard Webhooks 1.0.0.`;

/** Nothing from elsewhere. Insecure requests are not upgraded, since the page may well be read over plain http. */
const pagePolicy = {
  'default-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'self'",
  'frame-ancestors': "'none'",
  'img-src': "'self' data:",
  'object-src': "'none'",
  'style-src': "'self' 'unsafe-inline'",
};

/**
 * The OpenAPI 3.1 document, made from the routes: served as JSON, YAML and a page to read and try. Registered before
 * the routes, so that it sees them.
 */
export async function useDocument(app: FastifyInstance, options: { version: string }): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Darkroom',
        version: options.version,
        description: about,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'The service that serves this document.' }],
      tags: [
        { name: 'images', description: 'Order, follow, read and erase images.' },
        { name: 'catalogue', description: 'What can be ordered.' },
        { name: 'operations', description: 'For those who run it.' },
        { name: 'webhooks', description: 'Where events go, what became of them, and what is sent.' },
      ],
      components: {
        securitySchemes: {
          apiKey: {
            type: 'http',
            scheme: 'bearer',
            description:
              'An API key: `Authorization: Bearer <key>`. Operations name the scope that the key needs.',
          },
        },
      },
      webhooks: Object.fromEntries(eventTypes.map((type) => [type, webhookOf(type)])),
    },
    refResolver: { buildLocalReference: (json, _baseUri, _fragment, i) => String(json.$id ?? `def-${i}`) },
    transform: ({ schema, url, route }) => {
      const scope = route.config?.scope;
      const { url: shownUrl = url, ...shown } = route.config?.documented ?? {};
      return { schema: { security: scope ? [{ apiKey: [scope] }] : [], ...schema, ...shown }, url: shownUrl };
    },
    transformObject: (documents) =>
      finishDocument('openapiObject' in documents ? documents.openapiObject : documents.swaggerObject, {
        submitJob: imageRequestExamples,
        createWebhookEndpoint: endpointRequestExamples,
      }),
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: pagePolicy });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  app.get('/openapi.yaml', { schema: { hide: true } }, (_request, reply) =>
    reply.header('content-type', 'application/yaml; charset=utf-8').send(app.swagger({ yaml: true })),
  );
}

/** One event of the `webhooks` section. */
function webhookOf(type: string) {
  const isTest = type === 'webhook.test';
  return {
    post: {
      operationId: `on${type
        .split('.')
        .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
        .join('')}`,
      summary: isTest
        ? 'Sent when somebody tests an endpoint'
        : `Sent when a job reaches the status of ${type}`,
      tags: ['webhooks'],
      description: isTest
        ? 'Signed as Standard Webhooks. Answer 2xx within 15 seconds.'
        : 'Signed as Standard Webhooks; `data` is the job as polling shows it. Answer 2xx within 15 seconds.',
      security: [],
      parameters: [
        webhookHeader('webhook-id', 'Id of the event, the same in every attempt.'),
        webhookHeader('webhook-timestamp', 'When this attempt was made, in seconds since 1970.'),
        webhookHeader('webhook-signature', '`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.'),
      ],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: { $ref: `#/components/schemas/${isTest ? 'WebhookTestEvent' : 'WebhookEvent'}` },
          },
        },
      },
      responses: {
        '2XX': { description: 'Taken.' },
        '410': {
          description: 'Not wanted any more: this delivery ends, and a registered endpoint is switched off.',
        },
        default: { description: 'Anything else is tried again.' },
      },
    },
  };
}

function webhookHeader(name: string, description: string) {
  return { name, in: 'header' as const, required: true, description, schema: { type: 'string' as const } };
}
