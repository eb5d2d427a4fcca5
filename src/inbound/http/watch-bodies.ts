import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { maxBodyBytes } from './max-body-size.ts';

export interface BodyLimits {
  /** Maximum time in which a body without files and data of images must arrive, in milliseconds. */
  readonly bodyTimeoutMs: number;
  /** Minimum speed of a body with files or data of images. */
  readonly minUpload: { readonly bytesPerSecond: number; readonly overMs: number };
  /** Maximum time in which a body with files or data of images must arrive, in milliseconds. */
  readonly uploadTimeoutMs: number;
  /** Maximum size of a whole body, in bytes. The connection of a longer one is closed. */
  readonly maxBytes: number;
}

const checkEveryMs = 1_000;

/**
 * Ends requests whose body arrives too slowly or never ends. Files and data of images have a minimum speed and a longer time. Bodies
 * of refused requests are watched too, because the server reads and discards them.
 *
 * @param refuse responds with 408 and closes the connection.
 */
export function watchBodies(
  app: FastifyInstance,
  limits: BodyLimits,
  refuse: (socket: Socket) => void,
): void {
  // One timer for all bodies, because most of them arrive at once and a timer for each is expensive.
  const watched = new Set<() => void>();
  const timer = setInterval(() => {
    for (const check of watched) check();
  }, checkEveryMs).unref();
  app.addHook('onClose', async () => clearInterval(timer));
  app.addHook('onRequest', ({ raw, routeOptions }, _reply, done) => {
    if (hasBody(raw)) {
      const stop = () => watched.delete(check);
      const isUpload =
        routeOptions.config.files !== undefined || (routeOptions.bodyLimit ?? 0) > maxBodyBytes;
      const check = createCheck(raw, limits, { isUpload, stop, refuse });
      watched.add(check);
      // A request that ends in another way is noticed by its next check.
      raw.once('end', stop);
    }
    done();
  });
}

const hasBody = ({ headers }: IncomingMessage) =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

/** Creates the check of one body, to be called every `checkEveryMs`. The first call comes early. */
function createCheck(
  request: IncomingMessage,
  { bodyTimeoutMs, minUpload, uploadTimeoutMs, maxBytes }: BodyLimits,
  then: { isUpload: boolean; stop: () => void; refuse: (socket: Socket) => void },
): () => void {
  const { socket } = request;
  const firstByte = socket.bytesRead;
  const steps = minUpload.overMs / checkEveryMs;
  const minBytes = (minUpload.bytesPerSecond * minUpload.overMs) / 1000;
  const seen: number[] = [];
  let waitedMs = -checkEveryMs;

  return () => {
    // A socket serves many requests, so it gets no listener.
    if (request.complete || socket.destroyed) return then.stop();
    if (socket.bytesRead - firstByte > maxBytes) return void socket.destroy();
    // A body that waits for this process is not slow.
    if (request.readableLength > 0) return void seen.splice(0, seen.length, socket.bytesRead);
    waitedMs += checkEveryMs;
    seen.push(socket.bytesRead);
    if (seen.length > steps + 1) seen.shift();
    const isSlow = seen.length > steps && (seen.at(-1) ?? 0) - (seen[0] ?? 0) < minBytes;
    const isLate = waitedMs >= (then.isUpload ? uploadTimeoutMs : bodyTimeoutMs);
    if (isLate || (then.isUpload && isSlow)) {
      then.stop();
      then.refuse(socket);
    }
  };
}
