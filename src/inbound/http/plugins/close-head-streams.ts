import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/**
 * Closes the streams of responses to HEAD. Fastify would read them to their end, such as an image from the disk or a year of the
 * ledger. Must be registered before the routes.
 */
export function closeHeadStreams(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (route.method === 'HEAD') route.onSend = [closeStream, ...[route.onSend ?? []].flat()];
  });
}

async function closeStream(_request: FastifyRequest, _reply: FastifyReply, payload: unknown) {
  if (!(payload instanceof Readable)) return payload;
  payload.destroy();
  return Readable.from([]);
}
