import type { FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    /** Decorated before the routes. */
    publicAddresses?: Addresses;
  }
}

/** Public addresses of this service. */
export interface Addresses {
  /** Returns the address under which callers reach this service: `PUBLIC_URL`, otherwise the address of the request. */
  publicUrlOf(request: FastifyRequest): string;
  /** Returns the address that a new job stores for its webhooks, or `undefined` if `PUBLIC_URL` is set. */
  storedOriginOf(request: FastifyRequest): string | undefined;
}

/** Creates the addresses of a deployment from its `PUBLIC_URL`. */
export function createAddresses(publicUrl: string | undefined): Addresses {
  const ofRequest = (request: FastifyRequest) => `${request.protocol}://${request.host}`;
  return {
    publicUrlOf: (request) => publicUrl ?? ofRequest(request),
    storedOriginOf: (request) => (publicUrl === undefined ? ofRequest(request) : undefined),
  };
}
