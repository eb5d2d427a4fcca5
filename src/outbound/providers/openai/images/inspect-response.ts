import { z } from 'zod';
import type { ProviderFailure } from '../../../../domain/ports.ts';
import { classifyText } from '../client/classify-whole.ts';
import type { ArrivingBody } from '../client/provider-call.ts';
import { ForeignStart, ResponseFault } from './response-fault.ts';
import { createResponseScanner } from './response-scanner.ts';
import { foreignShape } from './response-shape.ts';
import { untilWhole } from './whole-response.ts';

/** Maximum length of a text that may state a refusal. */
const maxTextBytes = 16 * 1024;
const OptionalText = z.string().nullish().catch(null);

/** The fields of a response object that determine the outcome of a call, without its output. */
export const ResponseState = z.looseObject({
  id: OptionalText,
  status: OptionalText,
  error: z.unknown().optional(),
  incomplete_details: z.looseObject({ reason: OptionalText }).nullish().catch(null),
  usage: z.unknown().optional(),
});
export type ResponseState = z.infer<typeof ResponseState>;

/** Result of reading a response object once. */
export type Finding =
  | { readonly kind: 'delivered' }
  /** The response is not finished. `whole` is the object if it has no id or states an error. */
  | { readonly kind: 'in_progress'; readonly id: string | undefined; readonly whole?: unknown }
  /** The response ended without an image. */
  | { readonly kind: 'failed'; readonly state: ResponseState }
  /** The body is no response object. `refusal` is the refusal that it states instead. */
  | {
      readonly kind: 'unreadable';
      readonly fault: string;
      readonly refusal?: ProviderFailure | null;
    };

/** Function that receives the whole body of a finished response and the id of the response. */
export type Deliver = (whole: AsyncIterable<Uint8Array>, id: string | undefined) => Promise<void>;

const ended = new Set(['completed', 'failed', 'incomplete', 'cancelled']);

/**
 * Reads a response object while it arrives. A body without an image is small and is read to the end of its object. When an image begins,
 * `deliver` receives the whole body from its first byte.
 *
 * A body is not delivered if its status, which precedes the image, says that more will follow. The usage is not known then.
 * Memory never holds more than a body without an image, or the bytes before the image.
 */
export async function inspectResponse(
  body: AsyncIterable<Uint8Array> & Partial<ArrivingBody>,
  deliver: Deliver,
): Promise<Finding> {
  let imageBegan = false;
  const scanner = createResponseScanner({
    write() {
      imageBegan = true;
    },
    end: () => imageBegan,
  });
  const held: Uint8Array[] = [];
  // A response that is cut off after its image is polled again, because a poll is free and brings the usage.
  const chunks = untilWhole(body, { isWhole: body.acceptEnd });
  try {
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      held.push(next.value);
      scanner.push(next.value);
      if (!imageBegan) continue;
      const [id, status] = [scanner.rootText('id'), scanner.rootText('status')];
      if (status !== undefined && !ended.has(status)) return { kind: 'in_progress', id };
      await deliver(joined(held, chunks), id);
      return { kind: 'delivered' };
    }
    return await judge(scanner.finish(), held, deliver);
  } catch (error) {
    if (error instanceof ForeignStart) {
      const body = Buffer.concat(held);
      const refusal = classifyText(body.toString('utf8', 0, maxTextBytes));
      return { kind: 'unreadable', fault: foreignShape(body.toString('latin1', 0, 256)), refusal };
    }
    if (error instanceof ResponseFault) return { kind: 'unreadable', fault: error.message };
    throw error;
  }
}

async function judge(text: string, held: readonly Uint8Array[], deliver: Deliver): Promise<Finding> {
  const state = parse(text);
  const id = state.id ?? undefined;
  if (state.status === 'completed') {
    await deliver(joined(held), id);
    return { kind: 'delivered' };
  }
  return ended.has(state.status ?? '')
    ? { kind: 'failed', state }
    : { kind: 'in_progress', id, ...(id === undefined || state.error ? { whole: state } : {}) };
}

function parse(text: string): ResponseState {
  try {
    return ResponseState.parse(JSON.parse(text));
  } catch {
    throw new ResponseFault('it is not valid JSON');
  }
}

async function* joined(
  held: readonly Uint8Array[],
  rest?: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* held;
  if (rest) yield* { [Symbol.asyncIterator]: () => rest };
}
