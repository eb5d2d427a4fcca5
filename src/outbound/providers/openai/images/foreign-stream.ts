/** Watches whether the events of a stream belong to an API that makes images. */
export interface ForeignStream {
  /** @param value the data of an event, `null` if it is faulty. */
  read(type: string, value: object | null): void;
  /** Returns the last event of a stream without any known event, otherwise `null`. */
  lastEvent(): object | null;
}

/** Types of the APIs that make images, and of events that only keep a connection open. */
const knownType = /^image|^response\.|keep-?alive|ping|heartbeat/i;

/**
 * Creates a watch for streams of other APIs, such as the state of a task or the text of a chat. Another call would bring the
 * same, while a stream of a known kind without its image was cut off.
 */
export function createForeignStream(): ForeignStream {
  let isKnown = false;
  let last: object | null = null;
  return {
    read(type, value) {
      isKnown ||= value === null || knownType.test(type) || Reflect.has(value, 'partial_image_index');
      last = value;
    },
    lastEvent: () => (isKnown ? null : last),
  };
}
