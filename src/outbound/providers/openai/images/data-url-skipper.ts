import { ResponseFault } from './response-fault.ts';

/** Filter that removes the head of a data URL from a text. */
export interface DataUrlSkipper {
  write(bytes: Buffer): void;
  /** Passes on the buffered characters. Returns `false` if a head began and did not end. */
  finish(): boolean;
}

const scheme = 'data:';
const maxHeadBytes = 256;
const comma = 0x2c;

/** Creates a filter that passes a text to `next` in pieces, without a leading `data:image/png;base64,`. */
export function createDataUrlSkipper(next: (bytes: Buffer) => void): DataUrlSkipper {
  let state: 'opening' | 'head' | 'through' = 'opening';
  /** First characters, buffered until the filter knows whether they are the scheme. */
  let opening = '';
  let headBytes = 0;
  let text = '';

  function open(bytes: Buffer): Buffer {
    const missing = scheme.length - opening.length;
    opening += bytes.toString('latin1', 0, missing);
    if (opening.length === scheme.length) {
      state = opening.toLowerCase() === scheme ? 'head' : 'through';
      if (/^https?/i.test(opening)) throw new ResponseFault('it holds a link in place of base64', 'unusable');
      if (state === 'through') next(Buffer.from(opening, 'latin1'));
    }
    return bytes.subarray(missing);
  }

  function head(bytes: Buffer): Buffer {
    const end = bytes.indexOf(comma);
    headBytes += end === -1 ? bytes.length : end;
    text += bytes.toString('latin1', 0, end === -1 ? bytes.length : end).slice(0, maxHeadBytes);
    // Passed on as text, because no head is this long. The decoder refuses it, because a colon is not base64.
    if (headBytes > maxHeadBytes) next(Buffer.from(scheme));
    if (end === -1) return bytes.subarray(bytes.length);
    state = 'through';
    if (!/;\s{0,4}base64\s{0,4}$/i.test(text)) {
      throw new ResponseFault('the data URL of the image is not base64', 'unusable');
    }
    return bytes.subarray(end + 1);
  }

  return {
    write(bytes) {
      let rest = bytes;
      if (state === 'opening') rest = open(rest);
      if (state === 'head') rest = head(rest);
      if (rest.length > 0) next(rest);
    },
    finish() {
      if (state === 'opening' && opening !== '') next(Buffer.from(opening, 'latin1'));
      return state !== 'head';
    },
  };
}
