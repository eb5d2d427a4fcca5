import { createJsonPath } from './json-path.ts';
import { createLongText } from './long-text.ts';
import { ResponseFault } from './response-fault.ts';
import { createResponseRest } from './response-rest.ts';

/** Takes the text of images out of a JSON answer while it arrives. */
export interface ResponseScanner {
  /** @throws ResponseFault as soon as the answer cannot become a good one. */
  push(chunk: Uint8Array): void;
  /** A text that is a member of the outermost object, once it was passed. @throws ResponseFault */
  rootText(name: string): string | undefined;
  /** The answer without its images, as JSON text. @throws ResponseFault when it is cut off. */
  finish(): string;
}

/** What stands in the scanned answer in place of an image's text. */
export const imageMark = { taken: 'taken', skipped: 'skipped' } as const;

const maxRestBytes = 256 * 1024;
/** Larger strings than this are allocated apart by the engine, which makes decoding them twenty times slower. */
const pieceBytes = 64 * 1024;
const byteOrderMark = [0xef, 0xbb, 0xbf];

const byte = {
  tab: 0x09,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  lessThan: 0x3c,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/**
 * Finds images (`data[].b64_json`, `output[].result`) wherever they stand, hands the first one to `write` piece by
 * piece and skips the others.
 *
 * `JSON.parse` would block the event loop for tens of milliseconds on one large image and hold it three times. Here
 * the long text is only searched for its end; everything else (at most 256 KiB) is kept and left to `JSON.parse`, which
 * alone decides whether it is valid.
 */
export function createResponseScanner(write: (bytes: Buffer) => void): ResponseScanner {
  const path = createJsonPath();
  const rest = createResponseRest(maxRestBytes);
  const long = createLongText();
  let mode: 'between' | 'text' | 'image' = 'between';
  let textStart = 0;
  let escaped = false;
  let skippedMarks = 0;
  let taken = false;
  let take = write;
  const rootTexts = new Map<string, { from: number; to: number }>();

  function between(value: number): void {
    if (isWhiteSpace(value)) {
      if (rest.sizeBytes() > 0 && rest.last() !== byte.space) rest.keep(byte.space);
      return;
    }
    if (path.ended()) throw new ResponseFault('something follows after its end');
    if (!path.begun() && value !== byte.openBrace) {
      if (value !== byteOrderMark[skippedMarks]) throw new ResponseFault(strangeStart(value));
      skippedMarks += 1;
      return;
    }
    rest.keep(value);
    if (value === byte.quote) beginText();
    else follow(value);
  }

  function follow(value: number): void {
    if (value === byte.openBrace) path.open('object');
    else if (value === byte.openBracket) path.open('array');
    else if (value === byte.closeBrace || value === byte.closeBracket) path.close();
    else if (value === byte.comma) path.next();
    else if (value === byte.colon) path.value();
  }

  function beginText(): void {
    textStart = rest.sizeBytes();
    mode = path.atImage() ? 'image' : 'text';
    if (mode === 'text') return;
    rest.keepWord(taken ? imageMark.skipped : imageMark.taken);
    take = taken ? () => undefined : write;
    taken = true;
  }

  function text(value: number): void {
    rest.keep(value);
    if (escaped) escaped = false;
    else if (value === byte.backslash) escaped = true;
    else if (value === byte.quote) {
      passed(textStart, rest.sizeBytes() - 1);
      mode = 'between';
    }
  }

  function passed(from: number, to: number): void {
    const name = path.rootMember();
    if (path.atKey()) path.key(plainText(rest.text(from, to)));
    else if (name !== null) rootTexts.set(name, { from, to });
  }

  function image(chunk: Buffer, from: number): number {
    const { at, closed } = long.read(chunk, from, take);
    if (closed) {
      rest.keep(byte.quote);
      mode = 'between';
    }
    return at;
  }

  function piece(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (mode === 'image') at = image(chunk, at);
      else {
        if (mode === 'text') text(chunk[at] ?? 0);
        else between(chunk[at] ?? 0);
        at += 1;
      }
    }
  }

  return {
    push(input) {
      for (let from = 0; from < input.byteLength; from += pieceBytes) {
        const sizeBytes = Math.min(pieceBytes, input.byteLength - from);
        piece(Buffer.from(input.buffer, input.byteOffset + from, sizeBytes));
      }
    },
    rootText(name) {
      const at = rootTexts.get(name);
      return at && plainText(rest.text(at.from, at.to));
    },
    finish() {
      if (!path.begun()) throw new ResponseFault('it is empty');
      if (mode === 'image') throw new ResponseFault('it is cut off in the middle of the image');
      if (!path.ended()) throw new ResponseFault('it is cut off');
      return rest.text(0, rest.sizeBytes());
    },
  };
}

function isWhiteSpace(value: number): boolean {
  return (
    value === byte.space || value === byte.lineFeed || value === byte.carriageReturn || value === byte.tab
  );
}

function strangeStart(value: number): string {
  return value === byte.lessThan ? 'it is a web page or XML, not JSON' : 'it is not a JSON object';
}

/** What a short text says, which may hold escapes. */
function plainText(raw: string): string {
  if (!raw.includes('\\')) return raw;
  try {
    return String(JSON.parse(`"${raw}"`));
  } catch {
    throw new ResponseFault('a name in it is not valid JSON');
  }
}
