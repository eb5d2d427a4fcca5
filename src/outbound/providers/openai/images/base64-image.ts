import { createHash } from 'node:crypto';
import { createDataUrlSkipper } from './data-url-skipper.ts';
import { ResponseFault } from './response-fault.ts';

/** Decoder of base64 text that arrives in pieces. It writes into one buffer. */
export interface Base64Image {
  /** Decodes the next characters, given as bytes. @throws Base64Fault */
  write(bytes: Buffer): void;
  /** Returns the decoded bytes and their SHA-256, hex. @throws Base64Fault if the text is cut off or empty. */
  finish(): { bytes: Buffer; sha256: string };
}

/** Describes the fault of a base64 text. */
export class Base64Fault extends ResponseFault {}

/** Initial size of the buffer. A large size saves copies at no cost, because the system allocates memory on first write. */
const firstCapacityBytes = 4 * 1024 * 1024;
/**
 * Size from which on the buffer grows to the maximum at once. While it grows, the old buffer and its copy are in memory, so a
 * large copy would double the peak. The rest costs nothing until it is written.
 */
const lastDoubledBytes = 16 * 1024 * 1024;
const equalsSign = 0x3d;

/**
 * Creates a decoder of the standard and the URL-safe alphabet with an optional `data:...,` in front. It refuses all other
 * characters, because Node's own decoder skips them and would turn damaged text into a damaged image.
 *
 * The decoder holds one buffer, which doubles when it is full, and never a copy of the text.
 *
 * @param memory a buffer to reuse as the first buffer.
 */
export function createBase64Image(maxBytes: number, memory?: Buffer): Base64Image {
  const target = createTarget(maxBytes, memory);
  /** Up to three characters that do not form a group of four yet. */
  let carry = '';
  let padding = 0;

  function digits(bytes: Buffer): void {
    let at = 0;
    if (carry !== '') {
      at = Math.min(4 - carry.length, bytes.length);
      carry += bytes.toString('latin1', 0, at);
      if (carry.length < 4) return;
      target.decode(carry, 3);
      carry = '';
    }
    const whole = (bytes.length - at) & ~3;
    if (whole > 0) target.decode(bytes.toString('latin1', at, at + whole), (whole / 4) * 3);
    carry = bytes.toString('latin1', at + whole);
  }

  function text(bytes: Buffer): void {
    const end = bytes.indexOf(equalsSign);
    const data = end === -1 ? bytes : bytes.subarray(0, end);
    if (end !== -1) padding += 1;
    if (padding > 2 || (data.length > 0 && padding > (end === -1 ? 0 : 1))) {
      throw new Base64Fault('the base64 text continues after its end');
    }
    if (data.length > 0) digits(data);
    if (end !== -1 && end + 1 < bytes.length) text(bytes.subarray(end + 1));
  }

  const skipper = createDataUrlSkipper(text);
  return {
    write: skipper.write,
    finish() {
      if (!skipper.finish()) throw new Base64Fault('the data URL of the image has no comma');
      const groupIsWhole = padding === 0 ? carry === '' : carry.length + padding === 4;
      if (!groupIsWhole) throw new Base64Fault('the base64 text is cut off');
      if (carry !== '') target.decode(carry, carry.length - 1);
      return target.finish();
    },
  };
}

interface Target {
  /** Decodes a text that must have exactly the expected number of bytes. */
  decode(text: string, expectedBytes: number): void;
  finish(): { bytes: Buffer; sha256: string };
}

function createTarget(maxBytes: number, memory: Buffer = Buffer.alloc(0)): Target {
  let out = memory;
  let sizeBytes = 0;
  // Hashed piece by piece, because each piece is still in the processor's cache.
  const digest = createHash('sha256');

  function reserve(more: number): void {
    const needed = sizeBytes + more;
    if (needed > maxBytes) throw new Base64Fault(`the image is larger than ${maxBytes} bytes`, 'unusable');
    if (needed <= out.length) return;
    const doubled = out.length >= lastDoubledBytes ? maxBytes : Math.max(firstCapacityBytes, out.length * 2);
    const capacity = Math.min(maxBytes, Math.max(doubled, needed));
    const larger = Buffer.allocUnsafeSlow(capacity);
    out.copy(larger, 0, 0, sizeBytes);
    out = larger;
  }

  return {
    decode(text, expectedBytes) {
      reserve(expectedBytes);
      const written = out.write(text, sizeBytes, expectedBytes, 'base64');
      if (written !== expectedBytes) {
        throw new Base64Fault('the base64 text holds invalid characters');
      }
      digest.update(out.subarray(sizeBytes, sizeBytes + written));
      sizeBytes += written;
    },
    finish() {
      if (sizeBytes === 0) throw new Base64Fault('the image is empty', 'unusable');
      return { bytes: out.subarray(0, sizeBytes), sha256: digest.digest('hex') };
    },
  };
}
