import { Agent, type buildConnector, Client, type Dispatcher } from 'undici';
import type { AddressGuard } from './destination-guard.ts';
import { createPinnedConnector } from './pinned-connector.ts';
import type { ResolveName } from './resolve-name.ts';

const connectTimeoutMs = 10_000;
const maxHeaderBytes = 16_384;

/**
 * Creates an agent for files of foreign servers. It connects to allowed addresses only, and uses no proxy. Every request has
 * its own connection, so that it resolves and checks the name again. Every request needs a deadline, because the agent
 * itself limits only the time to connect. A response that breaks off is an error.
 *
 * @param options.resolve replaces the resolver of the operating system.
 */
export function createGuardedAgent(options: {
  readonly guard: Pick<AddressGuard, 'allowsAddress'>;
  readonly resolve?: ResolveName | undefined;
}): Dispatcher {
  const connect = createPinnedConnector({
    allowsAddress: options.guard.allowsAddress,
    timeoutMs: connectTimeoutMs,
    resolve: options.resolve,
  });
  return new Agent().compose(() => (request, handler) => {
    const watch = watchEnd(connect);
    const client = new Client(request.origin ?? '', {
      connect: watch.connect,
      maxHeaderSize: maxHeaderBytes,
      pipelining: 0,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const isAccepted = client.dispatch(request, failingIfCut(handler, watch.hasEnded));
    // The client is closed after its only request.
    client.close().catch(() => undefined);
    return isAccepted;
  });
}

/** Registers whether the peer ended the connection before undici did. */
function watchEnd(connect: buildConnector.connector) {
  let isEnded = false;
  const end = () => {
    isEnded = true;
  };
  const watched: buildConnector.connector = (target, callback) =>
    connect(target, (...result) => {
      // These listeners run before those of undici, which ends the response.
      result[1]?.once('end', end).once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNRESET') end();
      });
      callback(...result);
    });
  return { connect: watched, hasEnded: () => isEnded };
}

/**
 * Passes a response on, and fails if a chunked body has no end. For undici the end of a connection that is not reused ends
 * the body, which is right only without a length. If the last chunk arrives, undici ends the connection before the peer can.
 */
function failingIfCut(
  handler: Dispatcher.DispatchHandler,
  hasEnded: () => boolean,
): Dispatcher.DispatchHandler {
  let isChunked = false;
  return {
    onRequestStart: (...args) => handler.onRequestStart?.(...args),
    onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
    onResponseStart(...args) {
      isChunked = args[2]['transfer-encoding'] !== undefined;
      handler.onResponseStart?.(...args);
    },
    onResponseData: (...args) => handler.onResponseData?.(...args),
    onResponseEnd(controller, trailers) {
      if (!isChunked || !hasEnded()) handler.onResponseEnd?.(controller, trailers);
      else handler.onResponseError?.(controller, new Error('the response broke off'));
    },
    onResponseError: (...args) => handler.onResponseError?.(...args),
  };
}
