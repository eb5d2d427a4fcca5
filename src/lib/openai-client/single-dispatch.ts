import type { Agent, Dispatcher } from 'undici';

/** A dispatcher for one HTTP request, and what became of it. */
export interface SingleDispatch {
  readonly dispatcher: Dispatcher;
  /** Whether a byte of the request may have been written to a socket. While false, nothing was sent. */
  started(): boolean;
  /** What broke the exchange; the official client hides it behind some of its own errors. */
  failure(): Error | undefined;
}

type Handler = Dispatcher.DispatchHandler;

/**
 * Lets exactly one request through and watches it. `fetch` sends a request again by itself after a 421; a second
 * request could be a second payment, so it fails here instead.
 *
 * @param maxRefusalBytes a body that comes with a status other than 2xx is broken off above this size.
 */
export function createSingleDispatch(agent: Agent, maxRefusalBytes: number): SingleDispatch {
  const seen: { dispatched: boolean; started: boolean; failure: Error | undefined } = {
    dispatched: false,
    started: false,
    failure: undefined,
  };

  const watch = (inner: Handler): Handler => {
    let refused = false;
    let refusalBytes = 0;
    return {
      onRequestStart(controller, context) {
        seen.started = true;
        inner.onRequestStart?.(controller, context);
      },
      onRequestUpgrade(controller, status, headers, socket) {
        inner.onRequestUpgrade?.(controller, status, headers, socket);
      },
      onResponseStart(controller, status, headers, statusMessage) {
        refused = status < 200 || status > 299;
        inner.onResponseStart?.(controller, status, headers, statusMessage);
      },
      onResponseData(controller, chunk) {
        if (refused) refusalBytes += chunk.length;
        if (refusalBytes > maxRefusalBytes)
          controller.abort(new Error('the body of the refusal is too large'));
        else inner.onResponseData?.(controller, chunk);
      },
      onResponseEnd(controller, trailers) {
        inner.onResponseEnd?.(controller, trailers);
      },
      onResponseError(controller, error) {
        seen.failure = error;
        inner.onResponseError?.(controller, error);
      },
    };
  };

  const dispatcher = agent.compose((dispatch) => (options, handler) => {
    if (seen.dispatched) throw new Error('a second request in one call was refused');
    seen.dispatched = true;
    return dispatch(options, watch(handler));
  });
  return { dispatcher, started: () => seen.started, failure: () => seen.failure };
}
