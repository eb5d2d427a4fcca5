import {
  type DecodedImage,
  type DecodedResponse,
  ProviderError,
  type ProviderFailure,
} from '../../../../domain/ports.ts';
import { textOf } from '../client/classify-failure.ts';
import { publicMessage } from '../client/public-message.ts';
import { Base64Fault, createBase64Image } from './base64-image.ts';
import { ImageFault, readImageHeader } from './image-header.ts';
import {
  type Envelope,
  hostModelOf,
  imageEntry,
  readEnvelope,
  saidInstead,
  usageOfImage,
} from './response-envelope.ts';
import { ResponseFault } from './response-fault.ts';
import { createResponseScanner } from './response-scanner.ts';

export interface DecodeLimits {
  /** Of the answer as it was sent, which is four thirds of its image. */
  readonly maxResponseBytes: number;
  readonly maxPixels: number;
}

/** What is known of the money that an answer without an image cost. */
type Money = Pick<ProviderFailure, 'billing' | 'spent'>;
const possible: Money = { billing: 'possible' };

const maxEdge = 16_384;
const maxRatio = 20;

/**
 * Finds the first image in an answer of the Images API or of the Responses API, and trusts its bytes, not what was
 * asked for.
 *
 * Works while the answer arrives: no step blocks the event loop longer than one chunk takes, and memory holds the
 * decoded image once.
 *
 * @param memory as in `ImageProvider.decode`.
 * @throws ProviderError of kind `unusable` saying what is wrong; what `answer` throws comes out as it is.
 */
export async function decodeResponseBody(
  response: AsyncIterable<Uint8Array>,
  limits: DecodeLimits,
  memory?: Buffer,
): Promise<DecodedResponse> {
  const image = createBase64Image(Math.ceil(limits.maxResponseBytes * 0.75), memory);
  const scanner = createResponseScanner(image.write);
  let total = 0;
  for await (const chunk of response) {
    total += chunk.byteLength;
    if (total > limits.maxResponseBytes) throw unusable(`it is larger than ${limits.maxResponseBytes} bytes`);
    inWords(() => scanner.push(chunk));
  }
  const envelope = inWords(() => readEnvelope(scanner.finish()));
  const usage = usageOfImage(envelope);
  const hostModel = hostModelOf(envelope);
  const entry = imageEntry(envelope);
  const spent = { usage, ...(hostModel ? { hostModel } : {}) };
  const money: Money = usage || hostModel?.usage ? { billing: 'charged', spent } : possible;
  if (!entry) throw withoutImage(envelope, money);
  return {
    image: inWords(() => checked(image.finish(), limits.maxPixels), money),
    ...spent,
    revisedPrompt: entry.revisedPrompt,
  };
}

function checked(decoded: { bytes: Buffer; sha256: string }, maxPixels: number): DecodedImage {
  const header = readImageHeader(decoded.bytes);
  const { width, height } = header;
  const size = `${width}x${height}`;
  if (width < 1 || height < 1) throw new ImageFault(`its size is ${size}`);
  if (Math.max(width, height) > maxEdge)
    throw new ImageFault(`an edge of ${size} is above ${maxEdge} pixels`);
  if (Math.max(width, height) > maxRatio * Math.min(width, height)) {
    throw new ImageFault(`the edges of ${size} differ by more than ${maxRatio} to 1`);
  }
  if (width * height > maxPixels) throw new ImageFault(`${size} is more than ${maxPixels} pixels`);
  return { ...decoded, ...header };
}

function withoutImage(envelope: Envelope, money: Money): ProviderError {
  const { data, error } = envelope;
  if (error !== undefined && error !== null) {
    const code = textOf(error, 'code');
    const said = publicMessage(typeof error === 'object' ? Reflect.get(error, 'message') : error);
    return unusable(`it is an error sent as a success${said ? `: ${said}` : ''}`, {
      ...money,
      ...(code ? { provider: { code } } : {}),
    });
  }
  if (envelope.output && !data) {
    const said = publicMessage(saidInstead(envelope));
    return unusable(`it holds no image${said ? `; the model wrote: ${said}` : ''}`, money);
  }
  if (!data) return unusable('it has no list "data"', money);
  if (data.length === 0) return unusable('its list "data" is empty', money);
  if (data.some((item) => item?.url)) {
    return unusable('it holds a link instead of the image; answers with links are not supported', money);
  }
  return unusable('it holds no image: b64_json is missing or null', money);
}

/** Turns the faults of the parts into the one error callers know. */
function inWords<T>(work: () => T, money: Money = possible): T {
  try {
    return work();
  } catch (error) {
    const known =
      error instanceof ResponseFault || error instanceof Base64Fault || error instanceof ImageFault;
    throw known ? unusable(error.message, money, error) : error;
  }
}

function unusable(
  fault: string,
  rest: Partial<Money> & Pick<ProviderFailure, 'provider'> = {},
  cause?: unknown,
): ProviderError {
  const message = `The provider's answer cannot be used: ${fault}.`;
  return new ProviderError(
    { kind: 'unusable', code: 'provider_unusable_answer', billing: 'possible', message, ...rest },
    cause,
  );
}
