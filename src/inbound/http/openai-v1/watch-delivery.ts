import type { ServerResponse } from 'node:http';

/** Wait for errors after the last byte. Errors of a closed connection reach the socket shortly after that byte. */
const errorGraceMs = 2_000;

/**
 * Reports once whether the caller received a response. The `finish` event does not prove delivery, because a response on a
 * closed connection emits it too. A response counts as delivered if it was written completely and its socket then closes
 * without an error or stays open for two seconds.
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
    timer = setTimeout(() => end(true), errorGraceMs);
    timer.unref();
  };
  const onSocketClose = (hadError: boolean) => end(isWhole() && !hadError);
  // The response is observed too, because it has no socket while it waits behind another response of its connection.
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
