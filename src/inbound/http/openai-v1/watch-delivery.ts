import type { ServerResponse } from 'node:http';

/** Errors of a connection that was cut reach the socket shortly after the last byte was passed to it. */
const settleMs = 2_000;

/**
 * Reports once whether the caller of a response got it. A response whose connection is cut still emits `finish`: only the
 * state of its socket tells the difference. A response counts as delivered if everything was written and the
 * socket then closes without an error, or stays open for two seconds.
 */
export function watchDelivery(response: ServerResponse, report: (isDelivered: boolean) => void): void {
  const { socket } = response;
  let timer: NodeJS.Timeout | undefined;
  const end = (isDelivered: boolean) => {
    clearTimeout(timer);
    response.off('finish', onFinish);
    response.off('close', onResponseClose);
    socket?.off('close', onSocketClose);
    report(isDelivered);
  };
  const isWhole = () => response.writableFinished && !response.errored;
  const onFinish = () => {
    if (!socket || socket.destroyed) return end(false);
    timer = setTimeout(() => end(true), settleMs);
    timer.unref();
  };
  const onSocketClose = (hadError: boolean) => end(isWhole() && !hadError);
  // A response that waits behind another one of its connection has no socket of its own yet.
  const onResponseClose = () => {
    if (!isWhole()) end(false);
  };
  if (response.destroyed || socket?.destroyed) {
    end(false);
    return;
  }
  response.once('finish', onFinish);
  response.once('close', onResponseClose);
  socket?.setMaxListeners(0).once('close', onSocketClose);
}
