import { type DecodedResponse, ProviderError } from '../../../../domain/ports.ts';
import { classifyText } from '../client/classify-whole.ts';
import { createBase64Image } from './base64-image.ts';
import { decodeEventStream } from './decode-event-stream.ts';
import { type DecodeLimits, decoded, faulty, maxImageBytes, unusable } from './decoded-response.ts';
import { peekStart } from './peek-start.ts';
import { readEnvelope } from './response-envelope.ts';
import { ForeignStart, ResponseFault } from './response-fault.ts';
import { createResponseScanner } from './response-scanner.ts';
import { foreignShape } from './response-shape.ts';

/**
 * Finds the first image in a response of the Images API or of the Responses API, or the final image in the stream of
 * either. Trusts the bytes of the image, not the requested format.
 *
 * Decodes while the response arrives. No step blocks the event loop for longer than one chunk needs. Memory holds the decoded
 * image once.
 *
 * @param memory as in `DecodeResponse`.
 * @throws ProviderError of kind `damaged` or `unusable` with the fault, or of the kind that an error in the response
 *   states. Errors of `response` itself are rethrown.
 */
export async function decodeResponseBody(
  response: AsyncIterable<Uint8Array>,
  limits: DecodeLimits,
  memory?: Buffer,
): Promise<DecodedResponse> {
  const { start, isEventStream, body } = await peekStart(response);
  try {
    return await (isEventStream
      ? decodeEventStream(body, limits, memory)
      : decodeObject(body, { start, limits, memory }));
  } catch (error) {
    throw error instanceof ResponseFault ? faulty(error) : error;
  } finally {
    await body.return();
  }
}

async function decodeObject(
  body: AsyncIterable<Uint8Array>,
  { start, limits, memory }: { start: Buffer; limits: DecodeLimits; memory: Buffer | undefined },
): Promise<DecodedResponse> {
  const image = createBase64Image(maxImageBytes(limits), memory);
  const scanner = createResponseScanner(image);
  let total = 0;
  for await (const chunk of body) {
    total += chunk.byteLength;
    if (total > limits.maxResponseBytes) throw unusable(`it is larger than ${limits.maxResponseBytes} bytes`);
    try {
      scanner.push(chunk);
    } catch (error) {
      throw error instanceof ForeignStart ? foreignFailure(start) : error;
    }
    if (scanner.isWhole()) break;
  }
  // A response that ends after its image has lost only the rest.
  const rest = scanner.hasImage() && !scanner.isWhole() ? '' : scanner.finish();
  return decoded(readEnvelope(rest, scanner.hasImage()), image, limits);
}

/** Classifies a body that is neither a JSON object nor an event stream. It may be a list or the text of a refusal. */
function foreignFailure(start: Buffer): ProviderError {
  const stated = classifyText(start.toString('utf8'));
  return stated ? new ProviderError(stated) : unusable(foreignShape(start.toString('latin1', 0, 256)));
}
