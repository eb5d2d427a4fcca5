import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError, type FieldIssue } from '../../../domain/errors.ts';
import { pointerToken } from '../../../domain/image-request.ts';
import type { JsonSchema } from '../json-schema.ts';

/**
 * Has every route for callers refuse what it does not know: query parameters that its schema does not name, and any field
 * where it takes no body. What is ignored would be a typo that costs money. Registered before the routes.
 */
export function refuseUnknown(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const { config, schema } = route;
    if (!config?.scope || config.isOpenAi || !schema) return;
    const known = schema.querystring as JsonSchema | undefined;
    schema.querystring = { type: 'object', properties: {}, ...known, additionalProperties: false };
    // Nobody reads the body of a GET.
    if (schema.body || route.method === 'GET' || route.method === 'HEAD') return;
    route.preValidation = [refuseFields, ...[route.preValidation ?? []].flat()];
  });
}

/** Lets no body and an empty object through. */
async function refuseFields({ body }: FastifyRequest): Promise<void> {
  const issues = issuesOf(body);
  if (issues.length > 0) {
    throw new AppError('validation_failed', { detail: 'Nothing is taken in the body here.', issues });
  }
}

function issuesOf(body: unknown): FieldIssue[] {
  if (body === undefined) return [];
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return [{ pointer: '', detail: 'must be an object' }];
  }
  return Object.keys(body).map((key) => ({
    pointer: `/${pointerToken(key)}`,
    detail: 'is not a known field',
  }));
}
