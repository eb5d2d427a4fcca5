import { createJsonPath, type KnownPaths, responsePaths } from './json-path.ts';
import { createLongText } from './long-text.ts';
import { ForeignStart, ResponseFault } from './response-fault.ts';
import { createResponseRest } from './response-rest.ts';

/** Receiver of the base64 texts of a response, one after the other. */
export interface ImageText {
  /** Receives the next characters of a text, as bytes. */
  write(bytes: Buffer): void;
  /** Ends a text. Returns whether it is the image; otherwise the next text may be the image. */
  end(): boolean;
}

/** Scanner that extracts the text of images from a JSON response while it arrives. */
export interface ResponseScanner {
  /** Scans a chunk. @throws ResponseFault if the response cannot become valid. @throws ForeignStart if it is no JSON object. */
  push(chunk: Uint8Array): void;
  /** Returns a text member of the outermost object that the scanner has already passed. @throws ResponseFault */
  rootText(name: string): string | undefined;
  /** Returns whether the whole text of the image has passed. */
  hasImage(): boolean;
  /** Returns whether the JSON object is complete. */
  isWhole(): boolean;
  /** Returns the response without its images, as JSON text. @throws ResponseFault if it is cut off. */
  finish(): string;
}

/** Placeholders for base64 texts in the scanned response: the image, texts before it that are none, and texts after it. */
export const imageMark = { taken: 'taken', refused: 'refused', skipped: 'skipped' } as const;

const maxRestBytes = 256 * 1024;
/** Size of the rest from which on a text is cut to its start, so that large unknown members cost no image. */
const maxTextsBytes = 224 * 1024;
const cutTextBytes = 4 * 1024;
/** Maximum size of a piece. The engine allocates larger strings separately, which makes their decoding twenty times slower. */
const pieceBytes = 64 * 1024;
const dataScheme = 'data:';
const byteOrderMark = [0xef, 0xbb, 0xbf];

const byte = {
  tab: 0x09,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/**
 * Creates a scanner that finds images (at known paths, and data URIs at `imageLinks`) in any order. It passes their texts to
 * `images` piece by piece, until one is the image, and skips the others.
 *
 * `JSON.parse` would block the event loop for tens of milliseconds on one large image and hold it three times. The scanner
 * only searches the long text for its end. Everything else (at most 256 KiB) is left to `JSON.parse`, which alone decides
 * whether it is valid. Bytes after the end of the object are ignored: the image before them is complete and paid.
 */
export function createResponseScanner(images: ImageText, paths: KnownPaths = responsePaths): ResponseScanner {
  const path = createJsonPath(paths);
  const rest = createResponseRest(maxRestBytes);
  const long = createLongText();
  let mode: 'between' | 'text' | 'image' | 'cut' = 'between';
  let textStart = 0;
  let escaped = false;
  /** Whether the current text is a link whose first characters were not seen yet. */
  let mayBeDataUri = false;
  let skippedMarks = 0;
  let taken = false;
  const rootTexts = new Map<string, { from: number; to: number }>();

  function between(value: number): void {
    if (isWhiteSpace(value)) {
      if (rest.sizeBytes() > 0 && rest.last() !== byte.space) rest.keep(byte.space);
      return;
    }
    if (path.ended()) return;
    if (!path.begun() && value !== byte.openBrace) {
      if (value !== byteOrderMark[skippedMarks]) throw new ForeignStart();
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
    mode = 'text';
    mayBeDataUri = path.atLink();
    if (path.atImage()) beginImage();
  }

  function beginImage(): void {
    mode = 'image';
  }

  function endImage(): void {
    const isImage = !taken && images.end();
    rest.keepWord(taken ? imageMark.skipped : isImage ? imageMark.taken : imageMark.refused);
    taken ||= isImage;
  }

  const take = (bytes: Buffer) => {
    if (mode === 'image' && !taken) images.write(bytes);
  };

  function text(value: number): void {
    rest.keep(value);
    if (mayBeDataUri && rest.sizeBytes() - textStart === dataScheme.length) {
      mayBeDataUri = false;
      if (rest.text(textStart, rest.sizeBytes()).toLowerCase() === dataScheme) {
        beginImage();
        take(Buffer.from(dataScheme));
        return;
      }
    }
    if (escaped) escaped = false;
    else if (value === byte.backslash) escaped = true;
    else if (value === byte.quote) {
      passed(textStart, rest.sizeBytes() - 1);
      mode = 'between';
    }
    if (mode === 'text' && !escaped && rest.sizeBytes() >= maxTextsBytes && !path.atKey()) cutText();
  }

  /** Drops a text but for its start. */
  function cutText(): void {
    rest.cutText(textStart, textStart + cutTextBytes);
    passed(textStart, rest.sizeBytes());
    mode = 'cut';
  }

  function passed(from: number, to: number): void {
    const name = path.rootMember();
    if (path.atKey()) path.key(plainText(rest.text(from, to)));
    else if (name !== null) rootTexts.set(name, { from, to });
  }

  function longText(chunk: Buffer, from: number): number {
    const { at, closed } = long.read(chunk, from, take);
    if (closed) {
      if (mode === 'image') endImage();
      rest.keep(byte.quote);
      mode = 'between';
    }
    return at;
  }

  function piece(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (mode === 'image' || mode === 'cut') at = longText(chunk, at);
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
    hasImage: () => taken,
    isWhole: path.ended,
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

/** Returns the meaning of a short text that may hold escapes. */
function plainText(raw: string): string {
  if (!raw.includes('\\')) return raw;
  try {
    return String(JSON.parse(`"${raw}"`));
  } catch {
    throw new ResponseFault('a name in it is not valid JSON');
  }
}
