import {
  type DecodedImage,
  type DecodedResponse,
  ProviderError,
  type ProviderFailure,
  type Spent,
} from '../../../../domain/ports.ts';
import { classifyStatedError } from '../client/classify-failure.ts';
import { classifyWhole } from '../client/classify-whole.ts';
import { readErrorFacts } from '../client/error-facts.ts';
import { publicMessage } from '../client/public-message.ts';
import type { Base64Image } from './base64-image.ts';
import { isFinal } from './event-types.ts';
import { readImageHeader } from './image-header.ts';
import { type Envelope, hostModelOf, imageEntry, usageOfImage } from './response-envelope.ts';
import { ResponseFault } from './response-fault.ts';
import { errorOfEnvelope, reasonsOfEnvelope, shapeWithoutImage } from './response-shape.ts';

export interface DecodeLimits {
  /** Maximum size of a response as it was sent, which is four thirds of its image. */
  readonly maxResponseBytes: number;
  readonly maxPixels: number;
}

/** Returns the maximum size of an image in a response. */
export const maxImageBytes = ({ maxResponseBytes }: DecodeLimits) => Math.ceil(maxResponseBytes * 0.75);

/** Known facts about the cost of a response without an image. */
export type Money = Pick<ProviderFailure, 'billing' | 'spent'>;
export const possible: Money = { billing: 'possible' };

const maxEdge = 16_384;
const maxRatio = 20;

/** Returns the image and the usage of a response. @throws ProviderError */
export function decoded(envelope: Envelope, image: Base64Image, limits: DecodeLimits): DecodedResponse {
  const spent = spentOf(envelope);
  const money = moneyOf(envelope);
  const entry = imageEntry(envelope);
  if (!entry) throw withoutImage(envelope, money);
  try {
    return { image: checked(image.finish(), limits.maxPixels), ...spent, revisedPrompt: entry.revisedPrompt };
  } catch (error) {
    if (!(error instanceof ResponseFault)) throw error;
    throw (error.kind === 'unusable' && reasonIn(envelope, money)) || faulty(error, money);
  }
}

function spentOf(envelope: Envelope): Spent {
  const hostModel = hostModelOf(envelope);
  return { usage: usageOfImage(envelope), ...(hostModel ? { hostModel } : {}) };
}

/** Returns the charge of a response as far as the response reports it. */
export function moneyOf(envelope: Envelope): Money {
  const spent = spentOf(envelope);
  return spent.usage || spent.hostModel?.usage ? { billing: 'charged', spent } : possible;
}

/** Verifies the type and the size of an image. @throws ResponseFault */
export function checked(image: { bytes: Buffer; sha256: string }, maxPixels: number): DecodedImage {
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

/** Classifies a complete JSON object without an image: by a known code or error in it, otherwise by its shape. */
function withoutImage(envelope: Envelope, money: Money): ProviderError {
  const stated = classifyWhole(envelope.raw);
  if (stated) return refusal(stated, money);
  const error = errorOfEnvelope(envelope);
  if (error !== null) return statedFailure(error, money);
  const shape = shapeWithoutImage(envelope, isFinal(String(envelope.type)));
  return reasonIn(envelope, money) ?? unusable(shape, money);
}

/** Returns the failure that a known reason in a response states. */
function reasonIn(envelope: Envelope, money: Money): ProviderError | null {
  for (const reason of reasonsOfEnvelope(envelope)) {
    const stated = classifyStatedError(reason, { status: 200 });
    if (stated) return refusal(stated, money);
  }
  return null;
}

/**
 * Describes a refusal that a response with a 2xx status states. A refusal is free, unless the response reports the usage of
 * an image. Then another call would be paid again: after a refusal that passes if the caller consents, otherwise never.
 */
function refusal(stated: ProviderFailure, { billing, spent }: Money): ProviderError {
  const { input_tokens = 0, output_tokens = 0 } = spent?.usage ?? {};
  if (stated.billing !== 'none' || input_tokens + output_tokens === 0) return new ProviderError(stated);
  const kind = stated.kind === 'refused' ? 'damaged' : 'unusable';
  return new ProviderError({ ...stated, kind, billing, spent });
}

/**
 * Classifies an error that a response with a 2xx status states.
 *
 * @param kind the kind of an error whose meaning is unknown. A complete response would come again, a stream may not.
 */
export function statedFailure(
  error: unknown,
  money: Money,
  kind: 'damaged' | 'unusable' = 'unusable',
): ProviderError {
  const stated = classifyStatedError(error, { status: 200 });
  if (stated) return refusal(stated, money);
  const { code, message } = readErrorFacts(error);
  const said = publicMessage(message);
  return failed(kind, {
    fault: `it is an error sent as a success${said ? `: ${said}` : ''}`,
    ...money,
    ...(code ? { provider: { code } } : {}),
  });
}

/** Describes a response with a fault. */
export const faulty = (fault: ResponseFault, money: Money = possible) =>
  failed(fault.kind, { fault: fault.message, ...money }, fault);

/** Describes a complete response of a shape without an image. */
export const unusable = (fault: string, rest: Partial<Money> & Pick<ProviderFailure, 'provider'> = {}) =>
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
