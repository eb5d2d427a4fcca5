import { ProviderError } from '../../../../domain/ports.ts';
import { classifyStreamError } from '../client/classify-failure.ts';
import { createEventScanner } from './event-scanner.ts';
import { errorOfEvent, isFinal, isPartial, parseEvent } from './event-types.ts';
import { brokenStream, type Following, followEventStream } from './follow-event-stream.ts';
import { createPartialReader } from './partial-reader.ts';

interface FollowingBackground extends Following {
  /** Stores the id of a background response before anything else happens. */
  readonly storeHandle: (id: string) => Promise<void>;
  /** Receives the whole body of a stream that no poll can replace. */
  readonly deliver: (whole: AsyncIterable<Uint8Array>) => Promise<void>;
}

const maxHeldBytes = 1024 * 1024;

/**
 * Follows the stream of a response for its id and its previews. The image itself is not read from the stream of a background
 * response: polls bring it, also after a break of the stream or a crash. The stream ends when its final image begins.
 *
 * A server that streams without a background response is followed to its image, because polls would find nothing.
 *
 * @returns whether a poll has to bring the image.
 * @throws ProviderError if the stream breaks or states an error, and errors of `storeHandle` and `deliver`.
 */
export async function followBackgroundStream(
  body: AsyncGenerator<Uint8Array, void, undefined>,
  following: FollowingBackground,
): Promise<'poll' | 'delivered'> {
  const { context, storeHandle, deliver } = following;
  const watch = watchResponse(following);
  const held: Uint8Array[] = [];
  let heldBytes = 0;
  let isStored = false;
  try {
    for (let next = await body.next(); !next.done; next = await body.next()) {
      watch.push(next.value);
      if (!isStored) {
        held.push(next.value);
        heldBytes += next.value.byteLength;
        const created = watch.created();
        if (created && !created.isBackground) {
          await deliver(followEventStream(joined(held, body), following));
          return 'delivered';
        }
        if (created) {
          await storeHandle(created.id);
          isStored = true;
          held.length = 0;
        } else if (heldBytes > maxHeldBytes) break;
      }
      if (isStored && (watch.isOver() || context.signal.aborted)) return 'poll';
      if (watch.error()) break;
      await watch.pause();
    }
  } finally {
    await body.return();
  }
  if (isStored) return 'poll';
  const error = watch.error();
  throw error
    ? new ProviderError(classifyStreamError(error.value, following.provider))
    : brokenStream(following);
}

function watchResponse({ limits, context }: Following) {
  const partials = createPartialReader(limits, context);
  let created: { readonly id: string; readonly isBackground: boolean } | null = null;
  let isOver = false;
  let error: { readonly value: unknown } | null = null;
  const scanner = createEventScanner({
    onImage(type) {
      // Before the id is known the image may have to come from this stream, whose reader finds the previews again.
      if (type !== undefined && isPartial(type)) return created?.isBackground ? partials.begin() : null;
      isOver = true;
      return null;
    },
    onEvent({ type, text }) {
      const value = text === null ? null : parseEvent(text);
      partials.end(value);
      if (value === null) return;
      created ??= createdIn(value);
      const stated = errorOfEvent(type, value);
      if (stated !== null) error ??= { value: stated };
      isOver ||= isFinal(type) || stated !== null;
    },
  });
  return {
    push: scanner.push,
    pause: partials.pause,
    created: () => created,
    isOver: () => isOver,
    error: () => error,
  };
}

/** Returns the response that an event names first. */
function createdIn(value: object): { id: string; isBackground: boolean } | null {
  const response: unknown = Reflect.get(value, 'response');
  if (typeof response !== 'object' || response === null) return null;
  const id: unknown = Reflect.get(response, 'id');
  const isBackground = isHandle(id) && Reflect.get(response, 'background') === true;
  return { id: String(id), isBackground };
}

/** Returns whether a value can be an id, and so a part of a path. */
export function isHandle(id: unknown): id is string {
  return typeof id === 'string' && /^[A-Za-z0-9][\w.:-]{0,199}$/.test(id);
}

async function* joined(
  held: readonly Uint8Array[],
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* held;
  yield* rest;
}
