import { z } from 'zod';
import type { TokenUsage } from '../../../domain/cost.ts';
import type { Billing } from '../../../domain/errors.ts';
import {
  type DecodedAnswer,
  type DecodedPicture,
  ProviderError,
  type ProviderFailure,
} from '../../../domain/ports.ts';
import { publicMessage } from '../../../lib/openai-client/public-message.ts';
import { AnswerFault } from './answer-fault.ts';
import { createAnswerScanner, pictureMark } from './answer-scanner.ts';
import { Base64Fault, createBase64Picture } from './base64-picture.ts';
import { PictureFault, readPictureHeader } from './picture-header.ts';

export interface DecodeLimits {
  /** Of the answer as it was sent, which is four thirds of its picture. */
  readonly maxAnswerBytes: number;
  readonly maxPixels: number;
}

const maxEdge = 16_384;
const maxRatio = 20;

const Count = z.int().min(0);
const OptionalCount = Count.optional().catch(undefined);

const Usage = z.object({
  input_tokens: Count,
  output_tokens: Count,
  total_tokens: OptionalCount,
  input_tokens_details: z
    .object({ text_tokens: OptionalCount, image_tokens: OptionalCount, cached_tokens: OptionalCount })
    .optional()
    .catch(undefined),
  output_tokens_details: z
    .object({ text_tokens: OptionalCount, image_tokens: OptionalCount })
    .optional()
    .catch(undefined),
});

const OptionalText = z.string().nullish().catch(null);
const Item = z.looseObject({ b64_json: OptionalText, url: OptionalText, revised_prompt: OptionalText });
const Envelope = z.looseObject({
  data: z.array(Item.nullable().catch(null)).nullish().catch(null),
  error: z.unknown().optional(),
  usage: z.unknown().optional(),
});
type Envelope = z.infer<typeof Envelope>;

/**
 * Finds the first picture in an answer of the Images API and trusts its bytes, not what was asked for.
 *
 * Works while the answer arrives: no step blocks the event loop longer than one chunk takes, and memory holds the
 * decoded picture once.
 *
 * @throws ProviderError of kind `unusable` saying what is wrong; what `answer` throws comes out as it is.
 */
export async function decodeAnswer(
  answer: AsyncIterable<Uint8Array>,
  limits: DecodeLimits,
): Promise<DecodedAnswer> {
  const picture = createBase64Picture(Math.ceil(limits.maxAnswerBytes * 0.75));
  const scanner = createAnswerScanner(picture.write);
  let total = 0;
  for await (const chunk of answer) {
    total += chunk.byteLength;
    if (total > limits.maxAnswerBytes) throw unusable(`it is larger than ${limits.maxAnswerBytes} bytes`);
    inWords(() => scanner.push(chunk));
  }
  const envelope = readEnvelope(inWords(() => scanner.finish()));
  const usage = usageOf(envelope.usage);
  const item = envelope.data?.find((each) => each?.b64_json === pictureMark.taken);
  const billing = usage ? 'charged' : 'possible';
  if (!item) throw withoutPicture(envelope, billing);
  return {
    picture: inWords(() => checked(picture.finish(), limits.maxPixels), billing),
    usage,
    revisedPrompt: item.revised_prompt || null,
  };
}

function readEnvelope(text: string): Envelope {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unusable('it is not valid JSON');
  }
  return Envelope.parse(value);
}

function checked(bytes: Buffer, maxPixels: number): DecodedPicture {
  const header = readPictureHeader(bytes);
  const { width, height } = header;
  const size = `${width}x${height}`;
  if (width < 1 || height < 1) throw new PictureFault(`its size is ${size}`);
  if (Math.max(width, height) > maxEdge)
    throw new PictureFault(`an edge of ${size} is above ${maxEdge} pixels`);
  if (Math.max(width, height) > maxRatio * Math.min(width, height)) {
    throw new PictureFault(`the edges of ${size} differ by more than ${maxRatio} to 1`);
  }
  if (width * height > maxPixels) throw new PictureFault(`${size} is more than ${maxPixels} pixels`);
  return { bytes, ...header };
}

function withoutPicture(envelope: Envelope, billing: Billing): ProviderError {
  const { data, error } = envelope;
  if (error !== undefined && error !== null) {
    const code = typeof error === 'object' ? Reflect.get(error, 'code') : undefined;
    const said = publicMessage(typeof error === 'object' ? Reflect.get(error, 'message') : error);
    return unusable(`it is an error sent as a success${said ? `: ${said}` : ''}`, {
      billing,
      ...(typeof code === 'string' ? { provider: { code: code.slice(0, 100) } } : {}),
    });
  }
  if (!data) return unusable('it has no list "data"', { billing });
  if (data.length === 0) return unusable('its list "data" is empty', { billing });
  if (data.some((item) => item?.url)) {
    return unusable('it holds a link instead of the picture; answers with links are not supported', {
      billing,
    });
  }
  return unusable('it holds no picture: b64_json is missing or null', { billing });
}

function usageOf(value: unknown): TokenUsage | null {
  const parsed = Usage.safeParse(value);
  if (!parsed.success) return null;
  const usage = parsed.data;
  const total_tokens = usage.total_tokens ?? usage.input_tokens + usage.output_tokens;
  // Members that are absent must not come out as `undefined`, which is not the same to a strict reader.
  return JSON.parse(JSON.stringify({ ...usage, total_tokens })) as TokenUsage;
}

/** Turns the faults of the parts into the one error callers know. */
function inWords<T>(work: () => T, billing: Billing = 'possible'): T {
  try {
    return work();
  } catch (error) {
    const known =
      error instanceof AnswerFault || error instanceof Base64Fault || error instanceof PictureFault;
    throw known ? unusable(error.message, { billing }, error) : error;
  }
}

function unusable(
  fault: string,
  rest: { billing?: Billing; provider?: ProviderFailure['provider'] } = {},
  cause?: unknown,
): ProviderError {
  const message = `The provider's answer cannot be used: ${fault}.`;
  return new ProviderError(
    { kind: 'unusable', code: 'provider_unusable_answer', billing: 'possible', message, ...rest },
    cause,
  );
}
