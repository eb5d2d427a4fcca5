import type { JsonSchema } from './json-schema.ts';

/** Documentation of request headers that several routes share. `headers.ts` reads them. */
export const requestHeader = {
  idempotencyKey: {
    type: 'string',
    minLength: 1,
    maxLength: 257,
    description:
      '1 to 255 visible ASCII characters, bare or quoted. The same key with the same body returns the same job.',
  },
  prefer: {
    type: 'string',
    description:
      '`wait=N` delays the response until the job is terminal or N seconds have passed, at most 55. `respond-async` does not wait.',
    examples: ['wait=50'],
  },
  lastEventId: { type: 'string', description: 'Id of the last received event.' },
  ifNoneMatch: { type: 'string', description: 'ETags of stored responses. A match is a 304 response.' },
} as const satisfies Record<string, JsonSchema>;

/**
 * Returns the request headers of a route that takes an `Idempotency-Key` and makes no job.
 *
 * @param effect sentence about a repeated request.
 */
export const idempotentHeaders = (effect: string): JsonSchema => ({
  type: 'object',
  properties: {
    'idempotency-key': {
      ...requestHeader.idempotencyKey,
      description: `1 to 255 visible ASCII characters, bare or quoted. ${effect}`,
    },
  },
});
