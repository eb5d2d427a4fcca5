import type { FastifyInstance, FastifyRequest } from 'fastify';
import { confirmDeliveries } from './watch-delivery.ts';

/** Returns the number of earlier tries of a request, which official SDKs state; `undefined` for other clients. */
export function earlierTriesOf({ headers }: Pick<FastifyRequest, 'headers'>): number | undefined {
  const count = headers['x-stainless-retry-count'];
  return typeof count === 'string' && /^\d{1,3}$/.test(count) ? Number(count) : undefined;
}

/**
 * Declares the written responses of a connection as delivered when a further request arrives on it, on any route. A request
 * that repeats an earlier one proves nothing: its client may have failed to read the response.
 */
export function confirmByNextRequest(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (!earlierTriesOf(request)) confirmDeliveries(request.raw.socket);
    done();
  });
}
