import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import { createSharedSlots } from '../../../lib/tenant-slots.ts';
import { hasJsonType } from '../headers.ts';
import { callerOf } from './authenticate.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Ends the share of a JSON body in the memory for bodies. Called at the end of the response, or as soon as it is gone. */
    releaseBody: (() => void) | null;
  }
}

/**
 * Maximum size of all JSON bodies of callers that this process holds at a time, in bytes. A body needs about twice its size
 * while it is parsed.
 */
const maxHeldBytes = 192 * 1024 * 1024;
/** Size up to which bodies do not count. */
const uncountedBytes = 64 * 1024;
const retryAfterSeconds = 1;

/**
 * Bounds the memory of JSON bodies, so that many large or slow ones do not end the process. A tenant may use as much as is
 * free. Bytes of forms and of raw bodies go to the disk.
 */
export function boundBodies(app: FastifyInstance): void {
  const room = createSharedSlots(maxHeldBytes);
  app.decorateRequest('releaseBody', null);
  app.addHook('preParsing', async (request, reply) => {
    const bytes = sizeInMemory(request);
    if (bytes <= uncountedBytes) return;
    const leave = room.enter(callerOf(request).tenant, bytes);
    if (!leave) throw noRoom();
    request.releaseBody = () => {
      request.releaseBody = null;
      leave();
    };
    reply.raw.once('close', () => request.releaseBody?.());
  });
  // A body without a stated length counts as one of the maximum length until it has arrived.
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.bodyBytes <= uncountedBytes) request.releaseBody?.();
    done();
  });
}

/** Returns the maximum size of a body that is read into memory, in bytes; 0 if there is none. */
function sizeInMemory({ headers, routeOptions, caller }: FastifyRequest): number {
  if (!caller || !hasJsonType(headers)) return 0;
  const { bodyLimit = 0 } = routeOptions;
  if (headers['transfer-encoding'] !== undefined) return bodyLimit;
  // A body above the limit of its route is not read.
  return Math.min(Number(headers['content-length'] ?? 0), bodyLimit);
}

function noRoom(): AppError {
  return new AppError('too_many_requests', {
    detail:
      'Too many large JSON bodies arrive at the same time. Retry, or send images as multipart/form-data or as uploads.',
    retryAfterSeconds,
  });
}
