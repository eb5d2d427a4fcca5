import {
  type DecodedAnswer,
  type DecodedPicture,
  ProviderError,
  type ProviderFailure,
} from '../../../../domain/ports.ts';
import { textOf } from '../client/classify-failure.ts';
import { publicMessage } from '../client/public-message.ts';
import { Base64Fault, createBase64Picture } from './base64-image.ts';
import { PictureFault, readPictureHeader } from './image-header.ts';
import {
  carrierOf,
  type Envelope,
  pictureEntry,
  pictureUsage,
  readEnvelope,
  saidInstead,
} from './response-envelope.ts';
import { AnswerFault } from './response-fault.ts';
import { createAnswerScanner } from './response-scanner.ts';

export interface DecodeLimits {
  /** Of the answer as it was sent, which is four thirds of its picture. */
  readonly maxAnswerBytes: number;
  readonly maxPixels: number;
}

/** What is known of the money that an answer without a picture cost. */
type Money = Pick<ProviderFailure, 'billing' | 'spent'>;
const possible: Money = { billing: 'possible' };

const maxEdge = 16_384;
const maxRatio = 20;

/**
 * Finds the first picture in an answer of the Images API or of the Responses API, and trusts its bytes, not what was
 * asked for.
 *
 * Works while the answer arrives: no step blocks the event loop longer than one chunk takes, and memory holds the
 * decoded picture once.
 *
 * @param memory as in `ImageProvider.decode`.
 * @throws ProviderError of kind `unusable` saying what is wrong; what `answer` throws comes out as it is.
 */
export async function decodeAnswer(
  answer: AsyncIterable<Uint8Array>,
  limits: DecodeLimits,
  memory?: Buffer,
): Promise<DecodedAnswer> {
  const picture = createBase64Picture(Math.ceil(limits.maxAnswerBytes * 0.75), memory);
  const scanner = createAnswerScanner(picture.write);
  let total = 0;
  for await (const chunk of answer) {
    total += chunk.byteLength;
    if (total > limits.maxAnswerBytes) throw unusable(`it is larger than ${limits.maxAnswerBytes} bytes`);
    inWords(() => scanner.push(chunk));
  }
  const envelope = inWords(() => readEnvelope(scanner.finish()));
  const usage = pictureUsage(envelope);
  const carrier = carrierOf(envelope);
  const entry = pictureEntry(envelope);
  const spent = { usage, ...(carrier ? { carrier } : {}) };
  const money: Money = usage || carrier?.usage ? { billing: 'charged', spent } : possible;
  if (!entry) throw withoutPicture(envelope, money);
  return {
    picture: inWords(() => checked(picture.finish(), limits.maxPixels), money),
    ...spent,
    revisedPrompt: entry.revisedPrompt,
  };
}

function checked(decoded: { bytes: Buffer; sha256: string }, maxPixels: number): DecodedPicture {
  const header = readPictureHeader(decoded.bytes);
  const { width, height } = header;
  const size = `${width}x${height}`;
  if (width < 1 || height < 1) throw new PictureFault(`its size is ${size}`);
  if (Math.max(width, height) > maxEdge)
    throw new PictureFault(`an edge of ${size} is above ${maxEdge} pixels`);
  if (Math.max(width, height) > maxRatio * Math.min(width, height)) {
    throw new PictureFault(`the edges of ${size} differ by more than ${maxRatio} to 1`);
  }
  if (width * height > maxPixels) throw new PictureFault(`${size} is more than ${maxPixels} pixels`);
  return { ...decoded, ...header };
}

function withoutPicture(envelope: Envelope, money: Money): ProviderError {
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
    return unusable(`it holds no picture${said ? `; the model wrote: ${said}` : ''}`, money);
  }
  if (!data) return unusable('it has no list "data"', money);
  if (data.length === 0) return unusable('its list "data" is empty', money);
  if (data.some((item) => item?.url)) {
    return unusable('it holds a link instead of the picture; answers with links are not supported', money);
  }
  return unusable('it holds no picture: b64_json is missing or null', money);
}

/** Turns the faults of the parts into the one error callers know. */
function inWords<T>(work: () => T, money: Money = possible): T {
  try {
    return work();
  } catch (error) {
    const known =
      error instanceof AnswerFault || error instanceof Base64Fault || error instanceof PictureFault;
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
