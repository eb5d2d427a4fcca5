import { decodeResponseBody } from '../../src/outbound/providers/openai/images/decode-response-body.ts';
import { chunked } from './images.ts';
import { failureOf } from './provider-calls.ts';

export const decoderLimits = { maxResponseBytes: 8 * 1024 * 1024, maxPixels: 64_000_000 };

/** Decodes a response that arrives in chunks of the given size. */
export function decode(text: string | Buffer, chunkBytes = 64 * 1024, limits = decoderLimits) {
  return decodeResponseBody(chunked(Buffer.from(text), chunkBytes), limits);
}

/** Returns the failure of a response that the decoder refuses. */
export const decodeFailureOf = (text: string | Buffer, limits = decoderLimits) =>
  failureOf(decode(text, 1000, limits));

/** Returns a response of the Images API with one image. */
export const imagesResponse = (b64: unknown, rest: object = {}) =>
  JSON.stringify({ created: 1, data: [{ b64_json: b64 }], ...rest });
