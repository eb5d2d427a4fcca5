import {
  type CallContext,
  type PartialImage,
  ProviderError,
  type ProviderFailure,
} from '../../../../domain/ports.ts';
import { sleep } from '../../../../lib/sleep.ts';
import { classifyBreak } from '../client/classify-break.ts';
import { classifyStreamError } from '../client/classify-failure.ts';
import { type Base64Image, createBase64Image } from './base64-image.ts';
import { checked, type DecodeLimits, maxImageBytes } from './decoded-response.ts';
import { createEventScanner, type StreamEvent } from './event-scanner.ts';
import { errorOfEvent, isFinal, isPartial, parseEvent, responseOfEvent } from './event-types.ts';
import { peekStart } from './peek-start.ts';
import { imageEntry } from './response-envelope.ts';
import { ResponseFault } from './response-fault.ts';

interface Following {
  readonly limits: DecodeLimits;
  /** Facts about the response for the classification of its errors. */
  readonly provider: NonNullable<ProviderFailure['provider']>;
  readonly context: Pick<CallContext, 'onPartial' | 'signal' | 'timeoutMs'>;
}

/** Maximum pause of a stream while a preview is stored. The image is more important than its previews. */
const maxPauseMs = 2_000;
/** Size of waiting previews from which on further ones are skipped. Several small ones may arrive in one chunk. */
const maxWaitingBytes = 512 * 1024;

/**
 * Passes the body of a response on, unchanged, up to the event with the final image. Passes each preview to
 * `context.onPartial` on the way. Holds one large preview in memory: a preview that begins while an earlier large one is still
 * being stored is skipped after two seconds. A body that is no event stream is passed on as it is.
 *
 * @throws ProviderError if the stream states an error instead of its final image, or ends without both.
 */
export async function* followEventStream(
  response: AsyncIterable<Uint8Array>,
  following: Following,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { isEventStream, body } = await peekStart(response);
  if (!isEventStream) return yield* body;
  const watch = watchEvents(following);
  /** The last storing that the stream has paused for. */
  let given: Promise<void> | null = null;
  try {
    for await (const chunk of body) {
      watch.push(chunk);
      yield chunk;
      if (watch.hasFinal()) return;
      const storing = watch.storing();
      if (!storing || storing === given) continue;
      await Promise.race([storing, sleep(maxPauseMs, following.context.signal)]);
      given = storing;
    }
    watch.finish();
    // The transport reports a break as an end if the server closes its connections, so only the final image is an end.
    if (!watch.hasFinal()) throw brokenStream(following);
  } finally {
    await body.return();
  }
}

function watchEvents({ limits, provider, context }: Following) {
  let image: Base64Image | null = null;
  let storing: Promise<void> | null = null;
  let waitingBytes = 0;
  let hasFinal = false;

  const scanner = createEventScanner({
    onImage(type) {
      const isWanted =
        !hasFinal &&
        type !== undefined &&
        isPartial(type) &&
        waitingBytes < maxWaitingBytes &&
        context.onPartial;
      image = isWanted ? createBase64Image(maxImageBytes(limits)) : null;
      return image?.write ?? null;
    },
    onEvent(event) {
      const value = event.text === null ? null : parseEvent(event.text);
      if (value !== null) read(event, value);
      // The decoder reports the fault.
      else hasFinal ||= isFinal(event.type);
      image = null;
    },
  });

  function read({ type }: StreamEvent, value: object): void {
    if (isPartial(type)) {
      const partial = image && partialOf(value, image, limits);
      if (partial) store(partial);
      return;
    }
    const envelope = responseOfEvent(type, value);
    // An ended response without an image is passed on, because the decoder reads its reason and its usage.
    hasFinal ||= envelope !== null && (isFinal(type) || imageEntry(envelope) !== null);
    if (hasFinal) return;
    const error = errorOfEvent(type, value);
    if (error !== null) throw new ProviderError(classifyStreamError(error, provider));
  }

  function store(partial: PartialImage): void {
    const sizeBytes = partial.image.bytes.length;
    waitingBytes += sizeBytes;
    const stored = Promise.resolve(storing)
      .then(() => context.onPartial?.(partial))
      .finally(() => {
        waitingBytes -= sizeBytes;
        if (storing === stored) storing = null;
      });
    storing = stored;
  }

  return { push: scanner.push, finish: scanner.finish, hasFinal: () => hasFinal, storing: () => storing };
}

function brokenStream({ provider, context: { timeoutMs } }: Following): ProviderError {
  return new ProviderError(classifyBreak({ sent: true, reason: 'broken', timeoutMs, provider }));
}

/** Returns a preview, or `null` if its bytes are no image. A faulty preview never ends a call. */
function partialOf(value: object, image: Base64Image, limits: DecodeLimits): PartialImage | null {
  const no: unknown = Reflect.get(value, 'partial_image_index');
  if (!Number.isSafeInteger(no)) return null;
  try {
    return { no: Number(no), image: checked(image.finish(), limits.maxPixels) };
  } catch (error) {
    if (error instanceof ResponseFault) return null;
    throw error;
  }
}
