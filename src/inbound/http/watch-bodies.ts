import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

export interface BodyLimits {
  /** Maximum time in which a body without files must arrive, in milliseconds. */
  readonly bodyTimeoutMs: number;
  /** Minimum speed of a body with files. */
  readonly minUpload: { readonly bytesPerSecond: number; readonly overMs: number };
  /** Maximum size of a whole body, in bytes. The connection of a longer one is closed. */
  readonly maxBytes: number;
}

const checkEveryMs = 1_000;

/**
 * Ends requests whose body arrives too slowly or never ends. Uploads have a minimum speed instead of a maximum time. Bodies
 * of refused requests are watched too, because the server reads and discards them.
 *
 * @param refuse responds with 408 and closes the connection.
 */
export function watchBodies(
  app: FastifyInstance,
  limits: BodyLimits,
  refuse: (socket: Socket) => void,
): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (hasBody(request.raw)) {
      const isUpload = request.routeOptions.config.files !== undefined;
      watch(request.raw, limits, { isUpload, refuse });
    }
    done();
  });
}

const hasBody = ({ headers }: IncomingMessage) =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

function watch(
  request: IncomingMessage,
  { bodyTimeoutMs, minUpload, maxBytes }: BodyLimits,
  { isUpload, refuse }: { isUpload: boolean; refuse: (socket: Socket) => void },
): void {
  const { socket } = request;
  const firstByte = socket.bytesRead;
  const steps = minUpload.overMs / checkEveryMs;
  const minBytes = (minUpload.bytesPerSecond * minUpload.overMs) / 1000;
  const seen = [firstByte];
  let waitedMs = 0;

  // A socket serves many requests, so it gets no listener. The timer notices its end.
  const timer = setInterval(() => {
    if (request.complete || socket.destroyed) return stop();
    if (socket.bytesRead - firstByte > maxBytes) return void socket.destroy();
    // A body that waits for this process is not slow.
    if (request.readableLength > 0) return void seen.splice(0, seen.length, socket.bytesRead);
    waitedMs += checkEveryMs;
    seen.push(socket.bytesRead);
    if (seen.length > steps + 1) seen.shift();
    const isSlow = seen.length > steps && (seen.at(-1) ?? 0) - (seen[0] ?? 0) < minBytes;
    if (isUpload ? isSlow : waitedMs >= bodyTimeoutMs) {
      stop();
      refuse(socket);
    }
  }, checkEveryMs);
  timer.unref();
  const stop = () => clearInterval(timer);
  request.once('end', stop);
  request.once('close', () => {
    if (request.complete) stop();
  });
}
