import {
  type DecodedImage,
  type DecodedResponse,
  ProviderError,
  type ProviderFailure,
} from '../../../../domain/ports.ts';
import { classifyStatedError } from '../client/classify-failure.ts';
import { readErrorFacts } from '../client/error-facts.ts';
import { publicMessage } from '../client/public-message.ts';
import { createBase64Image } from './base64-image.ts';
import { readImageHeader } from './image-header.ts';
import {
  type Envelope,
  hostModelOf,
  imageEntry,
  readEnvelope,
  saidInstead,
  usageOfImage,
} from './response-envelope.ts';
import { ForeignStart, ResponseFault } from './response-fault.ts';
import { createResponseScanner } from './response-scanner.ts';
import { errorOfEnvelope, errorOfEventStream, foreignShape, shapeWithoutImage } from './response-shape.ts';

export interface DecodeLimits {
  /** Maximum size of a response as it was sent, which is four thirds of its image. */
  readonly maxResponseBytes: number;
  readonly maxPixels: number;
}

/** Known facts about the cost of a response without an image. */
type Money = Pick<ProviderFailure, 'billing' | 'spent'>;
const possible: Money = { billing: 'possible' };

const maxEdge = 16_384;
const maxRatio = 20;
/** Maximum number of bytes read of a body that is no JSON. It suffices for the error of an event stream. */
const maxForeignBytes = 64 * 1024;

/**
 * Finds the first image in a response of the Images API or of the Responses API. Trusts the bytes of the image, not the
 * requested format.
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
  const image = createBase64Image(Math.ceil(limits.maxResponseBytes * 0.75), memory);
  const scanner = createResponseScanner(image.write);
  const chunks = response[Symbol.asyncIterator]();
  let total = 0;
  try {
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      total += next.value.byteLength;
      if (total > limits.maxResponseBytes)
        throw unusable(`it is larger than ${limits.maxResponseBytes} bytes`);
      try {
        scanner.push(next.value);
      } catch (error) {
        if (error instanceof ForeignStart) throw await foreignFailure(next.value, chunks);
        throw error;
      }
    }
    return decoded(readEnvelope(scanner.finish()), image, limits);
  } catch (error) {
    throw error instanceof ResponseFault ? faulty(error) : error;
  } finally {
    await chunks.return?.();
  }
}

function decoded(
  envelope: Envelope,
  image: ReturnType<typeof createBase64Image>,
  limits: DecodeLimits,
): DecodedResponse {
  const usage = usageOfImage(envelope);
  const hostModel = hostModelOf(envelope);
  const entry = imageEntry(envelope);
  const spent = { usage, ...(hostModel ? { hostModel } : {}) };
  const money: Money = usage || hostModel?.usage ? { billing: 'charged', spent } : possible;
  if (!entry) throw withoutImage(envelope, money);
  try {
    return { image: checked(image.finish(), limits.maxPixels), ...spent, revisedPrompt: entry.revisedPrompt };
  } catch (error) {
    throw error instanceof ResponseFault ? faulty(error, money) : error;
  }
}

function checked(image: { bytes: Buffer; sha256: string }, maxPixels: number): DecodedImage {
  const header = readImageHeader(image.bytes);
  const { width, height } = header;
  const size = `${width}x${height}`;
  const refuse = (fault: string) => {
    throw new ResponseFault(fault, 'unusable');
  };
  if (width < 1 || height < 1) refuse(`its size is ${size}`);
  if (Math.max(width, height) > maxEdge) refuse(`an edge of ${size} is above ${maxEdge} pixels`);
  if (Math.max(width, height) > maxRatio * Math.min(width, height)) {
    refuse(`the edges of ${size} differ by more than ${maxRatio} to 1`);
  }
  if (width * height > maxPixels) refuse(`${size} is more than ${maxPixels} pixels`);
  return { ...image, ...header };
}

/** Classifies a complete JSON object without an image: by the error that it states, otherwise by its shape. */
function withoutImage(envelope: Envelope, money: Money): ProviderError {
  const error = errorOfEnvelope(envelope);
  if (error === null) return unusable(shapeWithoutImage(envelope, saidInstead(envelope)), money);
  return statedFailure(error, money);
}

/** Classifies a body that is no JSON object: an error in an event stream, otherwise by its shape. */
async function foreignFailure(first: Uint8Array, rest: AsyncIterator<Uint8Array>): Promise<ProviderError> {
  const parts = [first];
  let size = first.byteLength;
  while (size < maxForeignBytes) {
    const next = await rest.next();
    if (next.done) break;
    parts.push(next.value);
    size += next.value.byteLength;
  }
  const start = Buffer.concat(parts).subarray(0, maxForeignBytes);
  const error = errorOfEventStream(start.toString('utf8'));
  if (error === null) return unusable(foreignShape(start.toString('latin1', 0, 256)), possible);
  return statedFailure(error, possible);
}

function statedFailure(error: unknown, money: Money): ProviderError {
  const stated = classifyStatedError(error, { status: 200 });
  if (stated) return new ProviderError(stated);
  const { code, message } = readErrorFacts(error);
  const said = publicMessage(message);
  return unusable(`it is an error sent as a success${said ? `: ${said}` : ''}`, {
    ...money,
    ...(code ? { provider: { code } } : {}),
  });
}

const faulty = (fault: ResponseFault, money: Money = possible) =>
  failed(fault.kind, { fault: fault.message, ...money }, fault);

const unusable = (fault: string, rest: Partial<Money> & Pick<ProviderFailure, 'provider'> = {}) =>
  failed('unusable', { fault, ...rest });

function failed(
  kind: 'damaged' | 'unusable',
  { fault, ...rest }: { fault: string } & Partial<Money> & Pick<ProviderFailure, 'provider'>,
  cause?: unknown,
): ProviderError {
  const message = `The provider's response cannot be used: ${fault}.`;
  return new ProviderError(
    { kind, code: 'provider_unusable_answer', billing: 'possible', message, ...rest },
    cause,
  );
}
