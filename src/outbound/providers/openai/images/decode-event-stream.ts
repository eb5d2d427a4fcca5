import type { DecodedResponse } from '../../../../domain/ports.ts';
import { classifyText } from '../client/classify-whole.ts';
import { type Base64Image, createBase64Image } from './base64-image.ts';
import {
  type DecodeLimits,
  decoded,
  maxImageBytes,
  possible,
  statedFailure,
  unusable,
} from './decoded-response.ts';
import { createEventScanner, type StreamEvent } from './event-scanner.ts';
import {
  errorOfEvent,
  isEndOfStream,
  isFinal,
  mayBeFinal,
  parseEvent,
  responseOfEvent,
} from './event-types.ts';
import { createForeignStream } from './foreign-stream.ts';
import { type Envelope, envelopeOf, imageEntry } from './response-envelope.ts';
import { ResponseFault } from './response-fault.ts';
import { shapeWithoutImage } from './response-shape.ts';

/** Maximum number of images in a stream: three previews and the final one. */
export const maxStreamedImages = 4;

/**
 * Finds the final image in a stream of events. Previews are skipped, whether they come before or after it. Reads no further
 * than the final image.
 *
 * @throws ProviderError of the kind that an error event states. ResponseFault `damaged` if the stream ends without its final
 *   image.
 */
export async function decodeEventStream(
  body: AsyncIterable<Uint8Array>,
  limits: DecodeLimits,
  memory?: Buffer,
): Promise<DecodedResponse> {
  const reader = createFinalReader(maxImageBytes(limits), memory);
  const maxBytes = maxStreamedImages * limits.maxResponseBytes;
  let total = 0;
  for await (const chunk of body) {
    total += chunk.byteLength;
    if (total > maxBytes) throw unusable(`it is larger than ${maxBytes} bytes`);
    reader.scanner.push(chunk);
    if (reader.final()) break;
  }
  reader.scanner.finish();
  const final = reader.final();
  if (final) return decoded(final.envelope, final.image, limits);
  const error = reader.error();
  if (error !== null) throw statedFailure(error, possible, 'damaged');
  if (reader.isDone()) throw unusable('it is an event stream that ended without an image');
  const foreign = reader.foreign.lastEvent();
  if (foreign !== null) throw unusable(shapeWithoutImage(envelopeOf(foreign), true));
  throw reader.fault() ?? new ResponseFault('the stream ended before the final image');
}

interface Final {
  readonly envelope: Envelope;
  readonly image: Base64Image;
}

function createFinalReader(maxBytes: number, memory: Buffer | undefined) {
  let image: Base64Image | null = null;
  let final: Final | null = null;
  let error: unknown = null;
  let fault: ResponseFault | null = null;
  let isDone = false;
  const foreign = createForeignStream();

  const scanner = createEventScanner({
    onImage(type) {
      if (final || (type !== undefined && !isFinal(type) && !mayBeFinal(type))) return null;
      image = createBase64Image(maxBytes, memory);
      return image;
    },
    onEvent(event) {
      if (!final) read(event);
      image = null;
    },
    onText(name, text) {
      if (isEndOfStream(text)) isDone = true;
      else if (name === 'error' || classifyText(text)) error ??= text;
    },
  });

  function read({ type, text, fault: found }: StreamEvent): void {
    const value = text === null ? null : parseEvent(text);
    foreign.read(type, value);
    if (text === null) {
      if (isFinal(type)) fault ??= found ?? null;
      return;
    }
    if (value === null) return;
    const envelope = responseOfEvent(type, value);
    if (envelope && (isFinal(type) || imageEntry(envelope))) {
      final = { envelope, image: image ?? createBase64Image(maxBytes) };
    } else error ??= errorOfEvent(type, value);
  }

  return {
    scanner,
    foreign,
    final: () => final,
    error: () => error,
    fault: () => fault,
    isDone: () => isDone,
  };
}
