import { createHash } from 'node:crypto';
import { createBase64Text } from './base64-text.ts';
import { beginsLikeImage, readImageHeader } from './image-header.ts';
import { ResponseFault } from './response-fault.ts';
import type { ImageText } from './response-scanner.ts';
import { otherText } from './text-shape.ts';

/** Decoder of the base64 texts of a response. Its image is the first text with a complete image. */
export interface Base64Image extends ImageText {
  /**
   * Returns the decoded bytes and their SHA-256, hex.
   *
   * @throws ResponseFault if no text held a complete image: `damaged` if the bytes of a text begin like an image, otherwise
   *   `unusable`. ProviderError if a text states a refusal.
   */
  finish(): { bytes: Buffer; sha256: string };
}

/** Initial size of the buffer. A large size saves copies at no cost, because the system allocates memory on first write. */
const firstCapacityBytes = 4 * 1024 * 1024;
/**
 * Size from which on the buffer grows to the maximum at once. While it grows, the old buffer and its copy are in memory, so a
 * large copy would double the peak. The rest costs nothing until it is written.
 */
const lastDoubledBytes = 16 * 1024 * 1024;
/** Size of the start of a text, which tells its kind if it is no image. */
const maxStartBytes = 2_000;

/**
 * Creates a decoder that holds one buffer, which doubles when it is full, and never a copy of the text.
 *
 * @param memory a buffer to reuse as the first buffer.
 */
export function createBase64Image(maxBytes: number, memory?: Buffer): Base64Image {
  const target = createTarget(maxBytes, memory);
  let text = createBase64Text(target.decode);
  let start = Buffer.alloc(0);
  let fault: Error | null = null;
  let image: { bytes: Buffer; sha256: string } | null = null;

  /** Returns the fault of the text that ended, or `null` if it is a complete image. */
  function faultOfText(): Error | null {
    const ended = text.finish();
    const bytes = target.bytes();
    const found = ended ?? faultOfBytes(bytes);
    if (found === null || beginsLikeImage(bytes)) return found;
    const named = start.length === 0 ? null : otherText(start, start.length < maxStartBytes);
    if (found.kind === 'unusable') return named ?? found;
    return named ?? new ResponseFault('it holds no base64', 'unusable');
  }

  return {
    write(bytes) {
      if (start.length < maxStartBytes)
        start = Buffer.concat([start, bytes.subarray(0, maxStartBytes - start.length)]);
      text.write(bytes);
    },
    end() {
      const found = faultOfText();
      if (found === null) image = target.finish();
      else fault = moreTelling(fault, found);
      target.reset();
      text = createBase64Text(target.decode);
      start = Buffer.alloc(0);
      return found === null;
    },
    finish() {
      if (image) return image;
      throw fault ?? emptyImage();
    },
  };
}

const emptyImage = () => new ResponseFault('the image is empty', 'unusable');

function faultOfBytes(bytes: Buffer): ResponseFault | null {
  if (bytes.length === 0) return emptyImage();
  try {
    readImageHeader(bytes);
    return null;
  } catch (error) {
    if (error instanceof ResponseFault) return error;
    throw error;
  }
}

/** Returns the fault that decides about another call: a damaged image, otherwise the first text that is not empty. */
function moreTelling(first: Error | null, second: Error): Error {
  const isDamaged = (fault: Error) => fault instanceof ResponseFault && fault.kind === 'damaged';
  if (first === null || (isDamaged(second) && !isDamaged(first))) return second;
  return first.message === emptyImage().message ? second : first;
}

function createTarget(maxBytes: number, memory: Buffer = Buffer.alloc(0)) {
  let out = memory;
  let sizeBytes = 0;
  // Hashed piece by piece, because each piece is still in the processor's cache.
  let digest = createHash('sha256');

  function reserve(more: number): void {
    const needed = sizeBytes + more;
    if (needed > maxBytes) throw new ResponseFault(`the image is larger than ${maxBytes} bytes`, 'unusable');
    if (needed <= out.length) return;
    const doubled = out.length >= lastDoubledBytes ? maxBytes : Math.max(firstCapacityBytes, out.length * 2);
    const capacity = Math.min(maxBytes, Math.max(doubled, needed));
    const larger = Buffer.allocUnsafeSlow(capacity);
    out.copy(larger, 0, 0, sizeBytes);
    out = larger;
  }

  return {
    /** Decodes a text. Returns `false`, without an effect, if it has not exactly the expected number of bytes. */
    decode(text: string, expectedBytes: number): boolean {
      reserve(expectedBytes);
      const written = out.write(text, sizeBytes, expectedBytes, 'base64');
      if (written !== expectedBytes) return false;
      digest.update(out.subarray(sizeBytes, sizeBytes + written));
      sizeBytes += written;
      return true;
    },
    bytes: () => out.subarray(0, sizeBytes),
    finish: () => ({ bytes: out.subarray(0, sizeBytes), sha256: digest.digest('hex') }),
    reset() {
      sizeBytes = 0;
      digest = createHash('sha256');
    },
  };
}
