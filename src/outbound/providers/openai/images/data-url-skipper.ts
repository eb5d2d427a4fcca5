/** Lets a text through without the head of a data URL. */
export interface DataUrlSkipper {
  write(bytes: Buffer): void;
  /** Lets go of what was held back; `false` when a head was begun and never ended. */
  finish(): boolean;
}

const scheme = 'data:';
const maxHeadBytes = 256;
const comma = 0x2c;

/** Passes a text on to `next`, piece by piece; a `data:image/png;base64,` in front of it is left out. */
export function createDataUrlSkipper(next: (bytes: Buffer) => void): DataUrlSkipper {
  let state: 'opening' | 'head' | 'through' = 'opening';
  /** The first characters, held back until it is clear whether they are the scheme. */
  let opening = '';
  let headBytes = 0;

  function open(bytes: Buffer): Buffer {
    const missing = scheme.length - opening.length;
    opening += bytes.toString('latin1', 0, missing);
    if (opening.length === scheme.length) {
      state = opening.toLowerCase() === scheme ? 'head' : 'through';
      if (state === 'through') next(Buffer.from(opening, 'latin1'));
    }
    return bytes.subarray(missing);
  }

  function head(bytes: Buffer): Buffer {
    const end = bytes.indexOf(comma);
    headBytes += end === -1 ? bytes.length : end;
    // A head this long is none: as text it is refused, since a colon is no base64.
    if (headBytes > maxHeadBytes) next(Buffer.from(scheme));
    if (end === -1) return bytes.subarray(bytes.length);
    state = 'through';
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
