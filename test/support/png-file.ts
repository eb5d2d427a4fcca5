import { crc32, deflateRawSync, deflateSync, constants as zlib } from 'node:zlib';

/** Builds PNG files whose headers, chunks and pixels need not belong together. */

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/** Creates one chunk with a valid checksum. */
export function pngChunk(type: string, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, checksum]);
}

interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits of one channel. Default 8. */
  readonly depth?: number;
  /** 0 gray, 2 RGB, 3 palette, 4 gray with alpha, 6 RGBA. */
  readonly color: 0 | 2 | 3 | 4 | 6;
  readonly isInterlaced?: boolean;
}

function headerChunk({ width, height, depth = 8, color, isInterlaced = false }: PngHeader): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([depth, color, 0, 0, isInterlaced ? 1 : 0], 8);
  return pngChunk('IHDR', data);
}

/** Joins chunks to a file. */
export const pngOf = (header: PngHeader, ...chunks: readonly Buffer[]): Buffer =>
  Buffer.concat([signature, headerChunk(header), ...chunks, pngChunk('IEND')]);

/** Inserts chunks after the header of a PNG file. */
export function withChunks(png: Buffer, ...chunks: readonly Buffer[]): Buffer {
  const headerEnd = signature.length + 25;
  return Buffer.concat([png.subarray(0, headerEnd), ...chunks, png.subarray(headerEnd)]);
}

const blockBytes = 1 << 20;

/**
 * Compresses zeros to a thousandth of their length without ever holding them (RFC 1950). The checksum of n zeros is known:
 * its sums are 1 and n.
 */
export function zlibOfZeros(bytes: number): Buffer {
  const block = deflateRawSync(Buffer.alloc(blockBytes), { finishFlush: zlib.Z_FULL_FLUSH });
  const blocks = Array<Buffer>(Math.floor(bytes / blockBytes)).fill(block);
  const last = deflateRawSync(Buffer.alloc(bytes % blockBytes));
  const checksum = Buffer.alloc(4);
  checksum.writeUInt16BE(bytes % 65_521, 0);
  checksum.writeUInt16BE(1, 2);
  return Buffer.concat([Buffer.of(0x78, 0x9c), ...blocks, last, checksum]);
}

/** Creates a complete black image. Its pixels are compressed to almost nothing. */
export function blackPng(header: PngHeader): Buffer {
  const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[header.color];
  const rowBytes = 1 + Math.ceil((header.width * channels * (header.depth ?? 8)) / 8);
  return pngOf(header, pngChunk('IDAT', zlibOfZeros(rowBytes * header.height)));
}

/** Creates a chunk of compressed text that becomes long. */
export function textBomb(keyword: string, bytes: number): Buffer {
  return pngChunk('zTXt', Buffer.concat([Buffer.from(`${keyword}\0\0`, 'latin1'), zlibOfZeros(bytes)]));
}

/** Creates a color profile that becomes long. */
export function profileBomb(bytes: number): Buffer {
  return pngChunk('iCCP', Buffer.concat([Buffer.from('icc\0\0', 'latin1'), zlibOfZeros(bytes)]));
}

/** Creates a color profile whose beginning does not compress, so that only its end reveals its length. */
export function lateProfileBomb(plain: Buffer, zeros: number): Buffer {
  const data = deflateSync(Buffer.concat([plain, Buffer.alloc(zeros)]));
  return pngChunk('iCCP', Buffer.concat([Buffer.from('icc\0\0', 'latin1'), data]));
}
