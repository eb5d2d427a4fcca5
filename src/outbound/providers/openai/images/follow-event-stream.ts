import { type CallContext, ProviderError, type ProviderFailure } from '../../../../domain/ports.ts';
import { classifyBreak } from '../client/classify-break.ts';
import { classifyStreamError } from '../client/classify-failure.ts';
import { classifyText } from '../client/classify-whole.ts';
import type { ArrivingBody } from '../client/provider-call.ts';
import type { DecodeLimits } from './decoded-response.ts';
import { createEventScanner } from './event-scanner.ts';
import {
  errorOfEvent,
  isEndOfStream,
  isFinal,
  isPartial,
  parseEvent,
  responseOfEvent,
} from './event-types.ts';
import { createForeignStream } from './foreign-stream.ts';
import { createPartialReader } from './partial-reader.ts';
import { peekStart } from './peek-start.ts';
import { imageEntry } from './response-envelope.ts';
import { untilWhole } from './whole-response.ts';

/** Circumstances of a stream. */
export interface Following {
  readonly limits: DecodeLimits;
  /** Facts about the response for the classification of its errors. */
  readonly provider: NonNullable<ProviderFailure['provider']>;
  readonly context: Pick<CallContext, 'onPartial' | 'signal' | 'timeoutMs'>;
}

/**
 * Passes the body of a response on, unchanged, up to the event with the final image. Passes each preview to
 * `context.onPartial` on the way. A body that is no event stream is passed on up to the end of its JSON object.
 *
 * @throws ProviderError if the stream states an error instead of its final image, or ends without both.
 */
export async function* followEventStream(
  response: AsyncIterable<Uint8Array> & Partial<ArrivingBody>,
  following: Following,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { isEventStream, body } = await peekStart(response);
  const { acceptEnd } = response;
  if (!isEventStream) return yield* untilWhole(body, { hasImage: acceptEnd, isWhole: acceptEnd });
  const watch = watchEvents(following);
  try {
    for await (const chunk of body) {
      watch.push(chunk);
      yield chunk;
      if (watch.hasFinal()) return;
      await watch.pause();
    }
    watch.finish();
    // The transport reports a break as an end if the server closes its connections, so only the final image is an end.
    // The decoder names the kind of a foreign stream.
    if (!watch.hasFinal() && !watch.isForeign()) throw brokenStream(following);
  } finally {
    await body.return();
  }
}

function watchEvents({ limits, provider, context }: Following) {
  const partials = createPartialReader(limits, context);
  const foreign = createForeignStream();
  let hasFinal = false;

  const scanner = createEventScanner({
    onImage: (type) => (!hasFinal && type !== undefined && isPartial(type) ? partials.begin() : null),
    onEvent({ type, text }) {
      const value = text === null ? null : parseEvent(text);
      partials.end(value);
      foreign.read(type, value);
      if (value !== null) read(type, value);
      // The decoder reports the fault.
      else hasFinal ||= isFinal(type);
    },
    onText(name, text) {
      // The decoder reports a stream that ends without an image.
      hasFinal ||= isEndOfStream(text);
      const isError = !hasFinal && (name === 'error' || classifyText(text) !== null);
      if (isError) throw new ProviderError(classifyStreamError(text, provider));
    },
  });

  function read(type: string, value: object): void {
    const envelope = responseOfEvent(type, value);
    // An ended response without an image is passed on, because the decoder reads its reason and its usage.
    hasFinal ||= envelope !== null && (isFinal(type) || imageEntry(envelope) !== null);
    const error = hasFinal ? null : errorOfEvent(type, value);
    if (error !== null) throw new ProviderError(classifyStreamError(error, provider));
  }

  return {
    push: scanner.push,
    finish: scanner.finish,
    hasFinal: () => hasFinal,
    isForeign: () => foreign.lastEvent() !== null,
    pause: partials.pause,
  };
}

/** Describes a stream that ended without its image. */
export function brokenStream({ provider, context: { timeoutMs } }: Following): ProviderError {
  return new ProviderError(classifyBreak({ sent: true, reason: 'broken', timeoutMs, provider }));
}
