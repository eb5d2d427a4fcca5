import { type CallContext, type PartialImage, ProviderError } from '../../../../domain/ports.ts';
import { sleep } from '../../../../lib/sleep.ts';
import { type Base64Image, createBase64Image } from './base64-image.ts';
import { checked, type DecodeLimits, maxImageBytes } from './decoded-response.ts';
import { ResponseFault } from './response-fault.ts';
import type { ImageText } from './response-scanner.ts';

/** Maximum pause of a stream while a preview is stored. The image is more important than its previews. */
const maxPauseMs = 2_000;
/** Size of waiting previews from which on further ones are skipped. Several small ones may arrive in one chunk. */
const maxWaitingBytes = 512 * 1024;

/** Decoder of the previews in a stream, one after the other. */
export interface PartialReader {
  /** Called when the image of a preview begins. Returns the receiver of its base64 text, or `null` to skip it. */
  begin(): ImageText | null;
  /** Called with the data of every event. Passes the preview on if one began in it. */
  end(value: object | null): void;
  /** Resolves when the waiting previews are stored, at the latest after two seconds. */
  pause(): Promise<void>;
}

/**
 * Creates a reader that passes previews to `context.onPartial`. Holds one large preview in memory: a preview that begins while
 * an earlier large one is still being stored is skipped. A faulty preview never ends a call.
 */
export function createPartialReader(
  limits: DecodeLimits,
  { onPartial, signal }: Pick<CallContext, 'onPartial' | 'signal'>,
): PartialReader {
  let image: Base64Image | null = null;
  let storing: Promise<void> | null = null;
  let waitingBytes = 0;
  /** The last storing that the stream has paused for. */
  let given: Promise<void> | null = null;

  function store(partial: PartialImage): void {
    const sizeBytes = partial.image.bytes.length;
    waitingBytes += sizeBytes;
    const stored = Promise.resolve(storing)
      .then(() => onPartial?.(partial))
      .finally(() => {
        waitingBytes -= sizeBytes;
        if (storing === stored) storing = null;
      });
    storing = stored;
  }

  return {
    begin() {
      image = onPartial && waitingBytes < maxWaitingBytes ? createBase64Image(maxImageBytes(limits)) : null;
      return image;
    },
    end(value) {
      const partial = value && image && partialOf(value, image, limits);
      image = null;
      if (partial) store(partial);
    },
    async pause() {
      if (!storing || storing === given) return;
      given = storing;
      const over = new AbortController();
      await Promise.race([storing, sleep(maxPauseMs, AbortSignal.any([signal, over.signal]))]);
      over.abort();
    },
  };
}

/** Returns a preview, or `null` if its bytes are no image. */
function partialOf(value: object, image: Base64Image, limits: DecodeLimits): PartialImage | null {
  const no: unknown = Reflect.get(value, 'partial_image_index');
  if (!Number.isSafeInteger(no)) return null;
  try {
    return { no: Number(no), image: checked(image.finish(), limits.maxPixels) };
  } catch (error) {
    if (error instanceof ResponseFault || error instanceof ProviderError) return null;
    throw error;
  }
}
