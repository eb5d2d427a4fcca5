/** Reader of the content of a long JSON text, up to its closing quote, across chunks. */
export interface LongText {
  /**
   * Reads from `from` at most to the end of the chunk and passes the content to `write`, with escapes resolved.
   *
   * @returns the position of the next byte to read, and whether the closing quote was passed.
   */
  read(chunk: Buffer, from: number, write: (bytes: Buffer) => void): { at: number; closed: boolean };
}

const quote = 0x22;
const backslash = 0x5c;

/** Meanings of escapes. White space is omitted, because servers may wrap base64 text. */
const meanings: Record<string, string> = { '/': '/', n: '', r: '', t: '' };
/** Replacement for every escape that cannot be base64, so that the decoder refuses it. */
const noBase64 = '\u0000';

/**
 * Creates a reader for base64 text. Native code searches the text for its end, and pieces without an escape are never copied.
 * Pieces with escapes are resolved in one pass, because some servers escape every slash or plus sign.
 */
export function createLongText(): LongText {
  /** Start of an escape from its backslash on, if a chunk ended inside the escape. */
  let open = '';

  function resolve(text: string): string {
    return text.replace(/\\(?:u[\s\S]{0,4}|[^u]|)/g, (escaped) => {
      const whole = escaped.startsWith('\\u') ? escaped.length === 6 : escaped.length === 2;
      if (whole) return meaningOf(escaped.slice(1));
      open = escaped;
      return '';
    });
  }

  return {
    read(chunk, from, write) {
      if (open !== '') {
        const text = open + String.fromCharCode(chunk[from] ?? 0);
        open = '';
        const meaning = resolve(text);
        if (meaning !== '') write(Buffer.from(meaning, 'latin1'));
        return { at: from + 1, closed: false };
      }
      const found = chunk.indexOf(quote, from);
      const end = found === -1 ? chunk.length : found;
      const piece = chunk.subarray(from, end);
      if (piece.includes(backslash)) write(Buffer.from(resolve(piece.toString('latin1')), 'latin1'));
      else if (piece.length > 0) write(piece);
      // Not closed if an escape is open, because the quote belongs to the escape. The next call reads it.
      return found === -1 || open !== '' ? { at: end, closed: false } : { at: end + 1, closed: true };
    },
  };
}

function meaningOf(escaped: string): string {
  if (/^u00[0-9a-fA-F]{2}$/.test(escaped)) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
  return meanings[escaped] ?? noBase64;
}
