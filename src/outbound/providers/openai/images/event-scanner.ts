import { eventPaths } from './json-path.ts';
import { ForeignStart, ResponseFault } from './response-fault.ts';
import { createResponseScanner, type ImageText, type ResponseScanner } from './response-scanner.ts';

/** One event of a stream. */
export interface StreamEvent {
  /** Type in the data, otherwise the name of the event. Empty if the event has neither. */
  readonly type: string;
  /** Data as JSON text, with placeholders instead of images. `null` if the data is faulty. */
  readonly text: string | null;
  readonly fault?: ResponseFault;
}

export interface EventHandlers {
  /**
   * Called when the first image of an event begins.
   *
   * @param type `undefined` if the type comes later.
   * @returns the receiver of the base64 text, or `null` to skip the image.
   */
  onImage(type: string | undefined): ImageText | null;
  /** Called when an event is complete. */
  onEvent(event: StreamEvent): void;
  /** Called with the start of data that is no JSON object, such as `[DONE]` or the text of an error. Default: ignored. */
  onText?(name: string, text: string): void;
}

/** Scanner of a stream of server-sent events whose data is JSON. */
export interface EventScanner {
  /** Scans a chunk. Errors of `onEvent` are thrown on. */
  push(chunk: Uint8Array): void;
  /** Ends the stream. Reports an event that is complete except for its final empty line. */
  finish(): void;
}

const byte = { lineFeed: 0x0a, carriageReturn: 0x0d, space: 0x20, colon: 0x3a } as const;
const maxFieldLength = 32;
const maxNameLength = 200;
const maxTextBytes = 2_000;
/** A byte order mark, decoded as latin1. */
const byteOrderMark = '\u00ef\u00bb\u00bf';

/**
 * Creates a scanner of server-sent events (WHATWG HTML, section 9.2) that arrive in any chunks. The data of an event may be
 * one line with tens of megabytes of base64: it is passed on piece by piece, and everything else is bounded.
 *
 * A faulty event does not end the stream, because the final image may follow.
 */
export function createEventScanner(handlers: EventHandlers): EventScanner {
  let field = '';
  let hasColon = false;
  let isValueStart = false;
  let isAfterReturn = false;
  let isFirstLine = true;
  let name = '';
  let current: EventData | null = null;

  function part(bytes: Buffer): void {
    let rest = bytes;
    if (!hasColon) {
      const colon = rest.indexOf(byte.colon);
      const end = colon === -1 ? rest.length : colon;
      // Cut off, because no known field is this long.
      field = (field + rest.toString('latin1', 0, Math.min(end, maxFieldLength))).slice(0, maxFieldLength);
      if (colon === -1) return;
      hasColon = true;
      isValueStart = true;
      if (isFirstLine && field.startsWith(byteOrderMark)) field = field.slice(byteOrderMark.length);
      rest = rest.subarray(colon + 1);
    }
    if (rest.length === 0) return;
    if (isValueStart && rest[0] === byte.space) rest = rest.subarray(1);
    isValueStart = false;
    if (field === 'event') name = (name + rest.toString('latin1', 0, maxNameLength)).slice(0, maxNameLength);
    if (field !== 'data') return;
    current ??= createEventData((type) => handlers.onImage(type ?? (name === '' ? undefined : name)));
    current.push(rest);
  }

  function endLine(): void {
    const isBlank = field === '' && !hasColon;
    isFirstLine = false;
    field = '';
    hasColon = false;
    if (isBlank) dispatch();
  }

  function dispatch(): void {
    const event = current?.finish(name);
    const type = name;
    current = null;
    name = '';
    if (typeof event === 'string') handlers.onText?.(type, event);
    else if (event) handlers.onEvent(event);
  }

  return {
    push(input) {
      const chunk = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
      let at = 0;
      let nextReturn = -1;
      let nextFeed = -1;
      while (at < chunk.length) {
        if (isAfterReturn && chunk[at] === byte.lineFeed) at += 1;
        isAfterReturn = false;
        // Searched again only behind the last one. Otherwise many ends of one kind would cost the square of their number.
        if (nextReturn < at) nextReturn = positionOf(byte.carriageReturn, chunk, at);
        if (nextFeed < at) nextFeed = positionOf(byte.lineFeed, chunk, at);
        const end = Math.min(nextReturn, nextFeed);
        part(chunk.subarray(at, end));
        if (end >= chunk.length) return;
        endLine();
        isAfterReturn = chunk[end] === byte.carriageReturn;
        at = end + 1;
      }
    },
    finish() {
      if (field !== '' || hasColon) endLine();
      if (current?.isWhole()) dispatch();
    },
  };
}

/** Returns the position of a byte; the length of the chunk if there is none. */
function positionOf(value: number, chunk: Buffer, from: number): number {
  const found = chunk.indexOf(value, from);
  return found === -1 ? chunk.length : found;
}

/** The data of one event. */
interface EventData {
  push(bytes: Buffer): void;
  /** Returns whether the JSON object is complete. */
  isWhole(): boolean;
  /** Returns the event, or the start of its data if that is no JSON object. */
  finish(name: string): StreamEvent | string;
}

function createEventData(beginImage: EventHandlers['onImage']): EventData {
  let image: ImageText | null | undefined;
  let fault: ResponseFault | undefined;
  let start = Buffer.alloc(0);
  const images: ImageText = {
    write(bytes) {
      if (image === undefined) image = beginImage(scanner.rootText('type'));
      image?.write(bytes);
    },
    end: () => image === null || image?.end() === true,
  };
  const scanner: ResponseScanner = createResponseScanner(images, eventPaths);

  /** Returns the result of a step, `undefined` after a fault. */
  function attempt<T>(step: () => T): T | undefined {
    try {
      return fault ? undefined : step();
    } catch (error) {
      if (!(error instanceof ResponseFault)) throw error;
      fault = error;
      return undefined;
    }
  }

  return {
    push(bytes) {
      if (start.length < maxTextBytes) start = Buffer.concat([start, bytes.subarray(0, maxTextBytes)]);
      attempt(() => scanner.push(bytes));
    },
    isWhole: () => attempt(() => scanner.finish()) !== undefined,
    finish(name) {
      const text = attempt(() => scanner.finish()) ?? null;
      if (fault instanceof ForeignStart) return start.toString('utf8', 0, maxTextBytes);
      const type = typeOf(scanner) ?? name;
      return { type, text, ...(fault ? { fault } : {}) };
    },
  };
}

function typeOf(scanner: ResponseScanner): string | undefined {
  try {
    return scanner.rootText('type');
  } catch {
    return undefined;
  }
}
