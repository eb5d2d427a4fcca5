import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError, type FieldIssue } from '../../../domain/errors.ts';
import { pointerToken } from '../../../domain/json-pointer.ts';
import type { JsonSchema } from '../json-schema.ts';

/**
 * Makes every route for callers refuse unknown query parameters, because an ignored typo may cost money. A route without a
 * body refuses every field. Must be registered before the routes.
 */
export function refuseUnknown(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const { config, schema } = route;
    if (!config?.scope || config.isOpenAi || !schema) return;
    const known = schema.querystring as JsonSchema | undefined;
    schema.querystring = { type: 'object', properties: {}, ...known, additionalProperties: false };
    // GET and HEAD need no check, because their body is not read.
    if (schema.body || route.method === 'GET' || route.method === 'HEAD') return;
    route.preValidation = [refuseFields, ...[route.preValidation ?? []].flat()];
  });
}

/** Refuses every body except an empty one and an empty object. */
async function refuseFields({ body }: FastifyRequest): Promise<void> {
  const issues = issuesOf(body);
  if (issues.length > 0) {
    throw new AppError('validation_failed', { detail: 'This request has no body.', issues });
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
