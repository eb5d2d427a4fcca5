import { classifyWhole } from '../client/classify-whole.ts';
import { type Envelope, envelopeOf } from './response-envelope.ts';
import { imageMark } from './response-scanner.ts';
import { errorOfEnvelope, statedError } from './response-shape.ts';

/** Meaning of the events in streams of the Images API (generations and edits) and of the Responses API. */

/** Returns whether an event holds a preview. */
export const isPartial = (type: string) => /^(?:\w+\.)+partial_image$/.test(type);

/** Returns whether an event ends an image call, with its image or without. */
export const isFinal = (type: string) =>
  /^image_(?:generation|edit)\.completed$|^response\.(?:completed|failed|incomplete|cancelled)$/.test(type);

/** Returns whether an event may hold the final image although `isFinal` does not know its type. */
export const mayBeFinal = (type: string) =>
  /^(?:image[._](?:generation|edit)\.(?:completed?|finished|done|succeeded))?$/.test(type);

/** Returns whether a text ends a stream, as servers write that resemble the chat API. */
export const isEndOfStream = (text: string) => text.trim() === '[DONE]';

/** Parses the data of an event. Returns `null` if it is no JSON object. */
export function parseEvent(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

/** Returns the error that an event states; `null` if it states none. */
export function errorOfEvent(type: string, value: object): unknown {
  const error = statedError(value);
  if (error !== null) return error;
  if (type === 'error' || type.endsWith('.error') || type.endsWith('.failed')) return value;
  // The events of a response repeat what its caller sent, and state errors in a member of their own.
  return !type.startsWith('response.') && !isPartial(type) && classifyWhole(value) ? value : null;
}

/**
 * Returns the response that an event stands for, or `null` for any other event. An event without a known type
 * counts if it holds an image.
 */
export function responseOfEvent(type: string, value: object): Envelope | null {
  const response: unknown = Reflect.get(value, 'response');
  if (isFinal(type) && typeof response === 'object' && response !== null) return envelopeOf(response);
  const isUntyped = mayBeFinal(type) && !Reflect.has(value, 'partial_image_index');
  if (!isFinal(type) && !(isUntyped && errorOfEnvelope(envelopeOf(value)) === null)) return null;
  const image: unknown = Reflect.get(value, 'b64_json');
  if (image === imageMark.taken || image === imageMark.refused)
    return envelopeOf({ ...value, b64_json: undefined, data: [{ b64_json: image }] });
  return isFinal(type) || Reflect.has(value, 'data') ? envelopeOf(value) : null;
}
