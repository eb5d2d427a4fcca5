/** Reads the inside of a long JSON text, up to its closing quote, across chunks. */
export interface LongText {
  /**
   * Reads on at `from`, at most to the end of the chunk, and hands what the text says to `write`, without escapes.
   *
   * @returns where to go on, and whether the closing quote was passed.
   */
  read(chunk: Buffer, from: number, write: (bytes: Buffer) => void): { at: number; closed: boolean };
}

const quote = 0x22;
const backslash = 0x5c;

/** White space, with which base64 text may be wrapped, is left out. */
const meanings: Record<string, string> = { '/': '/', n: '', r: '', t: '' };
/** Stands for every escape that cannot be base64, so that the decoder refuses it. */
const noBase64 = '\u0000';

/**
 * For base64 text: it is only searched for its end, by native code, and pieces without an escape are never copied.
 * Some servers escape every slash or plus sign, so pieces with escapes are resolved in one pass too.
 */
export function createLongText(): LongText {
  /** A backslash and what followed it, when a chunk ended inside an escape. */
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
      // Inside an escape a quote ends nothing: the next call takes it as part of the escape.
      return found === -1 || open !== '' ? { at: end, closed: false } : { at: end + 1, closed: true };
    },
  };
}

function meaningOf(escaped: string): string {
  if (/^u00[0-9a-fA-F]{2}$/.test(escaped)) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
  return meanings[escaped] ?? noBase64;
}
