import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { contentDisposition } from '../../lib/content-disposition.ts';
import type { Bytes } from '../../usecases/jobs/read-image.ts';

/** Sends stored bytes with headers that make browsers treat them as an image only. */
export function sendBytes(
  reply: FastifyReply,
  bytes: Bytes,
  { contentType, fileName }: { readonly contentType: string; readonly fileName: string },
): FastifyReply {
  const body = bytes.body instanceof Readable ? bytes.body : Readable.from(bytes.body);
  closeWithConnection(reply, body);
  return reply
    .header('content-type', contentType)
    .header('content-length', bytes.sizeBytes)
    .header('content-disposition', contentDisposition(fileName))
    .header('content-security-policy', "default-src 'none'; sandbox")
    .header('cross-origin-resource-policy', 'cross-origin')
    .send(body);
}

/**
 * Closes the source of the bytes when the connection ends. A pipelined response that waits for an earlier response emits
 * no `close`.
 */
function closeWithConnection(reply: FastifyReply, body: Readable): void {
  const { socket } = reply.request.raw;
  const close = () => body.destroy();
  if (socket.destroyed) return void close();
  // One connection may have as many waiting responses as its caller pipelines.
  socket.setMaxListeners(0).once('close', close);
  body.once('close', () => socket.off('close', close));
}
