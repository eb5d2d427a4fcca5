import { ResponseFault } from './response-fault.ts';

/** The bytes of a response beside its image. */
export interface ResponseRest {
  keep(value: number): void;
  keepWord(word: string): void;
  sizeBytes(): number;
  last(): number | undefined;
  text(from: number, to: number): string;
  /** Cuts the text that begins at `from` at a position near `to`, and not inside an escape. */
  cutText(from: number, to: number): void;
}

const backslash = 0x5c;
const unicodeEscape = 0x75;

/** Collects bytes one by one. @throws ResponseFault from `keep` above the limit. */
export function createResponseRest(maxBytes: number): ResponseRest {
  let bytes = Buffer.allocUnsafe(4096);
  let size = 0;

  function keep(value: number): void {
    if (size === maxBytes)
      throw new ResponseFault(`it holds more than ${maxBytes} bytes beside the image`, 'unusable');
    if (size === bytes.length) {
      const larger = Buffer.allocUnsafe(size * 2);
      bytes.copy(larger);
      bytes = larger;
    }
    bytes[size] = value;
    size += 1;
  }

  return {
    keep,
    keepWord(word) {
      for (let i = 0; i < word.length; i += 1) keep(word.charCodeAt(i));
    },
    sizeBytes: () => size,
    last: () => (size > 0 ? bytes[size - 1] : undefined),
    text: (from, to) => bytes.toString('utf8', from, to),
    cutText(from, to) {
      let end = from;
      while (end < Math.min(to, size))
        end += bytes[end] !== backslash ? 1 : bytes[end + 1] === unicodeEscape ? 6 : 2;
      size = Math.min(end, size);
    },
  };
}
