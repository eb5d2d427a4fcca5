import { ResponseFault } from './response-fault.ts';

/** Filter that removes the head of a base64 text. */
export interface DataUrlSkipper {
  write(bytes: Buffer): void;
  /** Passes on the buffered characters. Returns `false` if the head of a data URL began and did not end. */
  finish(): boolean;
}

const scheme = /^data:/i;
/** Heads that servers write in place of a whole data URL. */
const bareHead = /^(?:image\/[\w.+-]{1,20};)?base64[,:]/i;
/** A byte order mark, zero-width characters, white space, quotes and the prefix of Python bytes. An escape arrives as a zero. */
const ignored = /^(?:\u00ef\u00bb\u00bf|\u00e2\u0080[\u008b-\u008f]|[\0\s"']|b(?=["'\0]))*/;
/** Number of characters that tell every head but that of a data URL, which may be longer. */
const openingBytes = 64;
const maxHeadBytes = 256;
const comma = 0x2c;

/** Creates a filter that passes a text to `next` in pieces, without a head such as `data:image/png;base64,`. */
export function createDataUrlSkipper(next: (bytes: Buffer) => void): DataUrlSkipper {
  let state: 'opening' | 'head' | 'through' = 'opening';
  /** First characters, buffered until the filter knows whether they are a head. */
  let opening = '';
  let headBytes = 0;
  let text = '';

  function open(): void {
    const start = opening.slice(ignored.exec(opening)?.[0].length ?? 0);
    state = scheme.test(start) ? 'head' : 'through';
    const isHead = state === 'head';
    pass(Buffer.from(isHead ? start.slice('data:'.length) : start.replace(bareHead, ''), 'latin1'));
  }

  function head(bytes: Buffer): Buffer {
    const end = bytes.indexOf(comma);
    headBytes += end === -1 ? bytes.length : end;
    text += bytes.toString('latin1', 0, end === -1 ? bytes.length : end).slice(0, maxHeadBytes);
    // No head is this long.
    if (headBytes > maxHeadBytes) throw new ResponseFault('the head of the data URL is too long', 'unusable');
    if (end === -1) return bytes.subarray(bytes.length);
    state = 'through';
    if (!/;\s{0,4}base64\s{0,4}$/i.test(text)) {
      throw new ResponseFault('the data URL of the image is not base64', 'unusable');
    }
    return bytes.subarray(end + 1);
  }

  function pass(bytes: Buffer): void {
    const rest = state === 'head' ? head(bytes) : bytes;
    if (rest.length > 0) next(rest);
  }

  return {
    write(bytes) {
      if (state !== 'opening') return pass(bytes);
      const missing = openingBytes - opening.length;
      opening += bytes.toString('latin1', 0, missing);
      if (opening.length < openingBytes) return;
      open();
      pass(bytes.subarray(missing));
    },
    finish() {
      if (state === 'opening') open();
      return state !== 'head';
    },
  };
}
