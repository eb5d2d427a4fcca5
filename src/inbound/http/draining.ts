import type { FastifyReply } from 'fastify';
import { AppError } from '../../domain/errors.ts';

/** Refuses new work when the process has begun to stop. @throws AppError `shutting_down` */
export function refuseWhileDraining(draining: AbortSignal): void {
  if (!draining.aborted) return;
  throw new AppError('shutting_down', { detail: 'This instance is shutting down. Retry the request.' });
}

/**
 * Returns a signal that aborts when the caller disconnects, when the response is sent, or when the process begins to
 * stop. A disconnected caller never cancels a job.
 *
 * Does not use `AbortSignal.any`: on Node 20 its result lives as long as its longest-lived source.
 */
export function untilCallerLeaves(draining: AbortSignal, reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  const response = reply.raw;
  // A pipelined response that waits for an earlier one emits no `close` when the connection ends.
  const { socket } = reply.request.raw;
  const leave = () => {
    draining.removeEventListener('abort', leave);
    response.off('close', leave);
    socket.off('close', leave);
    gone.abort();
  };
  if (draining.aborted || response.closed || socket.destroyed) {
    gone.abort();
    return gone.signal;
  }
  draining.addEventListener('abort', leave);
  response.once('close', leave);
  // One connection may have as many waiting requests as its caller pipelines.
  socket.setMaxListeners(0).once('close', leave);
  return gone.signal;
}
