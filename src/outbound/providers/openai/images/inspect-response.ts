import { z } from 'zod';
import { ResponseFault } from './response-fault.ts';
import { createResponseScanner } from './response-scanner.ts';

const OptionalText = z.string().nullish().catch(null);

/** A response object without its output, as far as it is needed to tell what became of a call. */
export const ResponseState = z.looseObject({
  id: OptionalText,
  status: OptionalText,
  error: z.unknown().optional(),
  incomplete_details: z.looseObject({ reason: OptionalText }).nullish().catch(null),
  usage: z.unknown().optional(),
});
export type ResponseState = z.infer<typeof ResponseState>;

/** What one look at a response showed. */
export type Finding =
  | { readonly kind: 'delivered' }
  /** It has to be asked for again. */
  | { readonly kind: 'under_way'; readonly id: string | undefined }
  /** It ended and holds no image. */
  | { readonly kind: 'failed'; readonly state: ResponseState }
  /** What came is no response object. */
  | { readonly kind: 'unreadable'; readonly fault: string };

/** Hands on the whole answer of a response that is done; `id` is the name of the response. */
export type Deliver = (whole: AsyncIterable<Uint8Array>, id: string | undefined) => Promise<void>;

const ended = new Set(['completed', 'failed', 'incomplete', 'cancelled']);

/**
 * Looks at a response object while it arrives. An answer without an image is small and read to its end. One with a
 * image goes to `deliver` from its first byte on as soon as the image begins, unless its status, which comes first,
 * says that more is to come: then what it used is not known yet. Nothing but the small part is ever held.
 */
export async function inspectResponse(body: AsyncIterable<Uint8Array>, deliver: Deliver): Promise<Finding> {
  let imageBegan = false;
  const scanner = createResponseScanner(() => {
    imageBegan = true;
  });
  const held: Uint8Array[] = [];
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      held.push(next.value);
      scanner.push(next.value);
      if (!imageBegan) continue;
      const [id, status] = [scanner.rootText('id'), scanner.rootText('status')];
      if (status !== undefined && !ended.has(status)) return { kind: 'under_way', id };
      await deliver(joined(held, chunks), id);
      return { kind: 'delivered' };
    }
    return await judge(scanner.finish(), held, deliver);
  } catch (error) {
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
  return ended.has(state.status ?? '') ? { kind: 'failed', state } : { kind: 'under_way', id };
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
