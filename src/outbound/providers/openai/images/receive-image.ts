import type { CallContext, FetchLink, ImageCall, ResponseSink } from '../../../../domain/ports.ts';
import { type ProviderCall, responseFacts } from '../client/provider-call.ts';
import { maxStreamedImages } from './decode-event-stream.ts';
import { type DecodeLimits, maxImageBytes } from './decoded-response.ts';
import { followEventStream } from './follow-event-stream.ts';
import { linkHandle } from './link-handle.ts';
import { withLinkedImage } from './linked-image.ts';
import { partialImagesOf } from './request-body.ts';
import { headOf } from './response-head.ts';
import { untilWhole } from './whole-response.ts';

interface Receiving {
  readonly response: Response;
  readonly call: Pick<ImageCall, 'parameters' | 'sendsLinks'>;
  readonly context: CallContext;
  readonly limits: DecodeLimits;
  readonly sink: ResponseSink;
  /** Fetches the link of a model that sends links. */
  readonly fetchLink: FetchLink;
}

/**
 * Passes the response of a generation or an edit to the sink while it arrives. A break after the image costs only the rest of
 * the response, because the image is paid. The body of a call with previews is a stream
 * of events; it goes to the sink as it is, and its previews to `context.onPartial`.
 *
 * @throws ProviderError
 */
export async function receiveImage(
  running: Pick<ProviderCall, 'receive' | 'signal'>,
  { response, call, context, limits, sink, fetchLink }: Receiving,
): Promise<void> {
  const head = headOf(response);
  if (partialImagesOf(call) === 0) {
    const links = {
      fetchLink,
      signal: running.signal,
      isStopped: () => context.signal.aborted,
      maxBytes: maxImageBytes(limits),
      onLinks: async (text: string) => context.onHandle?.(linkHandle(head, text)),
    };
    return running.receive(response, limits.maxResponseBytes, (arriving) => {
      const body = untilWhole(arriving, { hasImage: arriving.acceptEnd, isWhole: arriving.acceptEnd });
      return sink(head, call.sendsLinks ? withLinkedImage(body, links) : body);
    });
  }
  const provider = responseFacts(response);
  const maxBytes = maxStreamedImages * limits.maxResponseBytes;
  return running.receive(response, maxBytes, (body) =>
    sink(head, followEventStream(body, { limits, provider, context })),
  );
}
