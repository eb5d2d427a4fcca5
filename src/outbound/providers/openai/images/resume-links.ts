import type { CallContext, FetchLink, ResponseMeta, ResponseSink } from '../../../../domain/ports.ts';
import { ProviderError } from '../../../../domain/ports.ts';
import { startDeadline } from '../../../../lib/deadline.ts';
import { responseInHandle } from './link-handle.ts';
import { withLinkedImage } from './linked-image.ts';

interface Resuming {
  readonly handle: string;
  readonly context: CallContext;
  readonly sink: ResponseSink;
  readonly fetchLink: FetchLink;
  /** Maximum size of the image in bytes. */
  readonly maxBytes: number;
}

/**
 * Fetches the image of a call whose worker stopped before it had followed the link of the response. Free of charge.
 *
 * @throws ProviderError; of kind `uncertain` if the handle is of a call of another kind, whose response cannot be fetched here.
 */
export async function resumeLinks({ handle, context, sink, ...fetching }: Resuming): Promise<ResponseMeta> {
  const arrived = responseInHandle(handle);
  if (!arrived) throw ofAnotherKind();
  const deadline = startDeadline(context.signal, context.timeoutMs);
  const links = { ...fetching, signal: deadline.signal, isStopped: () => context.signal.aborted };
  try {
    await sink(arrived.head, withLinkedImage(once(arrived.body), links));
    return arrived.head;
  } finally {
    deadline.stop();
    deadline.release();
  }
}

async function* once(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from(text);
}

const ofAnotherKind = () =>
  new ProviderError({
    kind: 'uncertain',
    code: 'provider_outcome_unknown',
    billing: 'possible',
    message:
      'The call was made in another mode of the provider, which stores its response. It may have been charged.',
  });
