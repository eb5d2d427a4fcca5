import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { eventTypes } from '../../../domain/webhook-event.ts';
import type { JsonSchema } from '../json-schema.ts';
import { endpointRequestExamples, imageRequestExamples } from '../request-examples.ts';
import { eventName, webhookName } from '../schemas/events.ts';
import { useDocsPage } from './docs-page.ts';
import { finishDocument } from './finish-document.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Documentation of a route that differs from its declaration. */
    documented?: { url: string; params: JsonSchema; querystring: JsonSchema };
    /** Whether the body may be absent. An absent body is an empty object then. */
    hasOptionalBody?: boolean;
  }
}

const about = `Durable image generation. \`POST /images\` accepts a job that survives the crash of any process. A worker calls the
provider and stores the images. Callers learn of the result by poll, long-poll, event stream or signed webhook.

Errors are \`application/problem+json\` (RFC 9457) with a stable \`code\`; \`type\` is a link to its documentation. The same body
holds the \`error\` member of the OpenAI API.
Webhooks follow Standard Webhooks 1.0.0.`;

/**
 * Serves the OpenAPI 3.1 document of the routes as JSON, as YAML and as a page. Must be registered before the routes, which
 * it observes.
 */
export async function useDocument(app: FastifyInstance, options: { version: string }): Promise<void> {
  const optionalBodies = new Set<string>();
  acceptAbsentBodies(app);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Darkroom',
        version: options.version,
        description: about,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'The service that serves this document' }],
      tags: [
        { name: 'images', description: 'Create, follow, read and erase jobs and their images.' },
        { name: 'uploads', description: 'Files that jobs can use as inputs.' },
        { name: 'catalogue', description: 'Models and presets.' },
        { name: 'openai', description: 'For clients of the OpenAI API, with a changed base URL.' },
        { name: 'keys', description: 'API keys, tenants and the audit log.' },
        { name: 'usage', description: 'Usage, costs and the ledger.' },
        { name: 'operations', description: 'Probes and metrics for operators.' },
        { name: 'webhooks', description: 'Endpoints, deliveries and payloads.' },
      ],
      components: {
        securitySchemes: {
          apiKey: {
            type: 'http',
            scheme: 'bearer',
            description:
              'API key: `Authorization: Bearer <key>`. Each operation names the scope that the key needs.',
          },
        },
      },
      webhooks: Object.fromEntries(eventTypes.map((type) => [type, webhookOf(type)])),
    },
    refResolver: { buildLocalReference: (json, ...[, , i]) => String(json.$id ?? `def-${i}`) },
    transform: ({ schema, url, route }) => {
      const { scope, documented, hasOptionalBody } = route.config ?? {};
      const { url: shownUrl = url, ...shown } = documented ?? {};
      if (hasOptionalBody) optionalBodies.add(String(schema?.operationId));
      return {
        schema: { security: scope ? [{ apiKey: scope === 'any' ? [] : [scope] }] : [], ...schema, ...shown },
        url: shownUrl,
      };
    },
    transformObject: (documents) =>
      finishDocument('openapiObject' in documents ? documents.openapiObject : documents.swaggerObject, {
        requestExamples: {
          submitJob: imageRequestExamples,
          createWebhookEndpoint: endpointRequestExamples,
        },
        optionalBodies,
      }),
  });
  await useDocsPage(app);
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  app.get('/openapi.yaml', { schema: { hide: true } }, async (_request, reply) => {
    reply.header('content-type', 'application/yaml; charset=utf-8');
    return documentYaml(app);
  });
}

/**
 * Returns the document as YAML that readers of YAML 1.1 and 1.2 understand in the same way: words such as `off` and times
 * are quoted. Imports the YAML library on demand, because few processes need it.
 */
export async function documentYaml(app: FastifyInstance): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(app.swagger(), { compat: 'yaml-1.1', lineWidth: 0 });
}

/** Replaces an absent body by an empty object in routes that allow it. */
function acceptAbsentBodies(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (!route.config?.hasOptionalBody) return;
    route.preValidation = async (request) => {
      // `null` is a body too, and the schema refuses it.
      if (request.body === undefined) request.body = {};
    };
  });
}

/** Descriptions of the events without a job. */
const notes: Readonly<Record<string, { summary: string; data: string }>> = {
  'webhook.test': { summary: 'Test of an endpoint', data: '' },
  'budget.threshold': {
    summary: 'A share of a budget is spent or held',
    data: 'Sent once for each share and window of the budget. ',
  },
};

/** Returns one entry of the `webhooks` section. */
function webhookOf(type: string) {
  const { summary, data } = notes[type] ?? {
    summary: `Event ${type} of a job`,
    data: '`data` is the job as in polls. ',
  };
  return {
    post: {
      operationId: `on${eventName(type)}`,
      summary,
      tags: ['webhooks'],
      description: `Signed by Standard Webhooks. ${data}Respond with 2xx within 15 seconds.`,
      security: [],
      parameters: [
        webhookHeader('webhook-id', 'Id of the event, the same in every attempt.'),
        webhookHeader('webhook-timestamp', 'Time of this attempt, in seconds since 1970.'),
        webhookHeader('webhook-signature', '`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.'),
      ],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: { $ref: `#/components/schemas/${webhookName(type)}` },
          },
        },
      },
      responses: {
        '2XX': { description: 'Delivered.' },
        '410': {
          description: 'Ends this delivery, and disables a registered endpoint.',
        },
        default: { description: 'Any other status is retried.' },
      },
    },
  };
}

function webhookHeader(name: string, description: string) {
  return { name, in: 'header' as const, required: true, description, schema: { type: 'string' as const } };
}
