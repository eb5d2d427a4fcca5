import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Result of a response: the caller has it, the connection closed first, or this service closed the connection itself. */
export type Delivery = 'delivered' | 'disconnected' | 'cut';

/** Observer of one response. Each function is called once. */
export interface DeliveryObserver {
  /** The response needs nothing more of this process: it was written completely, or its connection is gone. */
  readonly onEnd: () => void;
  readonly onDelivery: (delivery: Delivery) => void;
}

/** Minimum wait for errors after the last byte. Errors of a closed connection reach the socket shortly after that byte. */
const minGraceMs = 2_000;
const maxGraceMs = 30_000;
/** Speed of a slow reader, in bytes per millisecond. Kernels buffer megabytes that the caller has not read yet. */
const slowReaderSpeed = 64;

/** Functions that declare the written responses of a connection as delivered. */
const written = new WeakMap<Socket, Set<() => void>>();

/** Declares every written response of a connection as delivered, because its client sends another request on it. */
export function confirmDeliveries(socket: Socket): void {
  for (const confirm of written.get(socket) ?? []) confirm();
}

/**
 * Observes whether the caller received a response. The `finish` event does not prove delivery: a response on a closed
 * connection emits it too, and the last bytes may still be in the buffers of the kernel. A written response counts as
 * delivered if the connection then closes without an error, if another request arrives on it, or if it stays open for two
 * seconds and the time that a slow reader needs, 30 seconds at most.
 *
 * @param socket connection of the request. A pipelined response has no socket while it waits behind another one.
 * @returns a function that closes the connection of a response that cannot be completed.
 */
export function watchDelivery(
  socket: Socket,
  response: ServerResponse,
  { onEnd, onDelivery }: DeliveryObserver,
): () => void {
  const bytesBefore = socket.bytesWritten;
  let timer: NodeJS.Timeout | undefined;
  let isReported = false;
  const report = (delivery: Delivery) => {
    if (isReported) return;
    isReported = true;
    clearTimeout(timer);
    response.off('finish', onFinish);
    response.off('close', onResponseClose);
    socket.off('close', onSocketClose);
    written.get(socket)?.delete(confirm);
    // A response that was written completely has ended before.
    if (timer === undefined) onEnd();
    onDelivery(delivery);
  };
  const confirm = () => report('delivered');
  const isWhole = () => response.writableFinished && !response.errored;
  const onFinish = () => {
    if (socket.destroyed) return report('disconnected');
    const slowMs = (socket.bytesWritten - bytesBefore) / slowReaderSpeed;
    timer = setTimeout(confirm, Math.min(maxGraceMs, minGraceMs + slowMs));
    timer.unref();
    written.set(socket, (written.get(socket) ?? new Set()).add(confirm));
    onEnd();
  };
  const onSocketClose = (hadError: boolean) => report(isWhole() && !hadError ? 'delivered' : 'disconnected');
  const onResponseClose = () => {
    if (!isWhole()) report('disconnected');
  };
  if (response.destroyed || socket.destroyed) {
    report('disconnected');
  } else {
    response.once('finish', onFinish);
    response.once('close', onResponseClose);
    socket.setMaxListeners(0).once('close', onSocketClose);
  }
  return () => {
    report('cut');
    response.destroy();
  };
}
