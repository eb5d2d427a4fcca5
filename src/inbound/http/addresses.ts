import type { FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    /** Decorated before the routes. */
    publicAddresses?: Addresses;
  }
}

const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Public addresses of this service. */
export interface Addresses {
  /** Returns the address under which callers reach this service: `PUBLIC_URL`, otherwise the address of the request. */
  publicUrlOf(request: FastifyRequest): string;
  /** Returns the address that a new job stores for its webhooks, or `undefined` if `PUBLIC_URL` is set. */
  storedOriginOf(request: FastifyRequest): string | undefined;
  /** Returns true if a page sent the request whose origin is neither `PUBLIC_URL`, nor in `CORS_ORIGINS`, nor this machine. */
  isForeignPage(request: FastifyRequest): boolean;
}

/** Creates the addresses of a deployment from its `PUBLIC_URL` and its `CORS_ORIGINS`. */
export function createAddresses(
  publicUrl: string | undefined,
  corsOrigins: readonly string[] = [],
): Addresses {
  const trusted = new Set([...corsOrigins, ...(publicUrl === undefined ? [] : [new URL(publicUrl).origin])]);
  const ofRequest = (request: FastifyRequest) => `${request.protocol}://${request.host}`;
  return {
    publicUrlOf: (request) => publicUrl ?? ofRequest(request),
    storedOriginOf: (request) => (publicUrl === undefined ? ofRequest(request) : undefined),
    isForeignPage({ headers: { origin } }) {
      if (origin === undefined || trusted.has(origin)) return false;
      return !URL.canParse(origin) || !loopbackHosts.has(new URL(origin).hostname);
    },
  };
}
