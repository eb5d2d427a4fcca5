import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** Allows browsers to call from these origins. Without origins CORS is off. */
export async function allowOrigins(
  app: FastifyInstance,
  origins: readonly string[] | undefined,
): Promise<void> {
  if (!origins?.length) return;
  await app.register(cors, {
    origin: [...origins],
    // A strict preflight responds to other OPTIONS requests with a body that is not problem+json.
    strictPreflight: false,
    // The default list has only the methods of HTML forms.
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: [
      'x-request-id',
      'retry-after',
      'ratelimit',
      'ratelimit-policy',
      'location',
      'etag',
      'content-disposition',
      'idempotent-replayed',
      'preference-applied',
      'x-should-retry',
      'x-darkroom-job-id',
      'x-darkroom-joined',
      'x-darkroom-model',
      'x-darkroom-requested-model',
      'x-darkroom-cost-micro-usd',
      'deprecation',
      'sunset',
      'www-authenticate',
      'x-ratelimit-limit-requests',
      'x-ratelimit-remaining-requests',
      'x-ratelimit-reset-requests',
    ],
  });
}
