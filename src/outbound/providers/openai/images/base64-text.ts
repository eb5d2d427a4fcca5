import { createDataUrlSkipper } from './data-url-skipper.ts';
import { ResponseFault } from './response-fault.ts';

/** Decoder of one base64 text that arrives in pieces. */
interface Base64Text {
  /** Decodes the next characters, given as bytes. Ignores them after a fault. */
  write(bytes: Buffer): void;
  /** Ends the text. Returns its fault, `null` if it has none. */
  finish(): ResponseFault | null;
}

/** Decodes whole groups of digits. Returns `false`, without an effect, if the text holds other characters. */
type Decode = (text: string, expectedBytes: number) => boolean;

const digitsOnly = /^[A-Za-z0-9+/_-]*$/;
/** Characters behind the last digit: padding of any length, and quotes. An escaped quote arrives as a zero. */
const tailOnly = /^[='"\0]*$/;
const openEscape = /%[0-9A-Fa-f]?$/;

/**
 * Creates a decoder of the standard and the URL-safe alphabet with an optional head such as `data:...,`. Padding may be absent,
 * because the image itself proves that it is complete. White space is skipped and percent-encoding is resolved. All other
 * characters are refused, because Node's own decoder skips them and would turn damaged text into a damaged image.
 */
export function createBase64Text(decode: Decode): Base64Text {
  /** Up to three digits that do not form a group of four yet. */
  let carry = '';
  /** Start of a percent-encoded character, if a piece ended inside it. */
  let open = '';
  let isOver = false;
  let fault: ResponseFault | null = null;

  function piece(bytes: Buffer): void {
    const read = isOver || open !== '' ? 0 : digits(bytes);
    if (read < bytes.length) otherCharacters(bytes.subarray(read));
  }

  /** Decodes digits. Returns the number of bytes before the part that holds another character. */
  function digits(bytes: Buffer): number {
    let at = 0;
    if (carry !== '') {
      at = Math.min(4 - carry.length, bytes.length);
      const first = bytes.toString('latin1', 0, at);
      if (!digitsOnly.test(first)) return 0;
      carry += first;
      if (carry.length < 4) return at;
      decode(carry, 3);
      carry = '';
    }
    const whole = (bytes.length - at) & ~3;
    if (whole > 0 && !decode(bytes.toString('latin1', at, at + whole), (whole / 4) * 3)) return at;
    at += whole;
    const last = bytes.toString('latin1', at);
    if (!digitsOnly.test(last)) return at;
    carry = last;
    return bytes.length;
  }

  function otherCharacters(bytes: Buffer): void {
    const escaped = open + bytes.toString('latin1');
    open = openEscape.exec(escaped)?.[0] ?? '';
    const text = escaped
      .slice(0, escaped.length - open.length)
      .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
      .replace(/[\t\n\f\r ]/g, '');
    const end = text.search(/[='"\0]/);
    const data = end === -1 ? text : text.slice(0, end);
    const valid = data.slice(0, data.search(/[^A-Za-z0-9+/_-]|$/));
    const isContinued = (isOver && data !== '') || (end !== -1 && !tailOnly.test(text.slice(end)));
    // Decoded before a fault is reported, because the first bytes tell whether an image is damaged.
    if (!isOver) digits(Buffer.from(valid, 'latin1'));
    isOver ||= end !== -1;
    if (valid !== data) throw new ResponseFault('the base64 text holds invalid characters');
    if (isContinued) throw new ResponseFault('the base64 text continues after its end');
  }

  const skipper = createDataUrlSkipper(piece);

  function attempt(step: () => void): void {
    try {
      if (fault === null) step();
    } catch (error) {
      if (!(error instanceof ResponseFault)) throw error;
      fault = error;
    }
  }

  return {
    write: (bytes) => attempt(() => skipper.write(bytes)),
    finish() {
      attempt(() => {
        if (!skipper.finish()) throw new ResponseFault('the data URL of the image has no comma', 'unusable');
        if (open !== '') throw new ResponseFault('the base64 text holds invalid characters');
        if (carry.length === 1) throw new ResponseFault('the base64 text is cut off');
        if (carry !== '') decode(carry, carry.length - 1);
      });
      return fault;
    },
  };
}
