import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { crc32, createDeflate } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const END_BYTES = 12;

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const frame = Buffer.alloc(8 + body.length);
  frame.writeUInt32BE(data.length, 0);
  body.copy(frame, 4);
  frame.writeUInt32BE(crc32(body), 4 + body.length);
  return frame;
}

/** Creates a black one-bit PNG of any size. The file is small, the decoded image is not. */
export async function blankPng(width: number, height: number): Promise<Buffer> {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const pixels = await buffer(
    Readable.from(zeros((1 + Math.ceil(width / 8)) * height)).pipe(createDeflate({ level: 1 })),
  );
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Yields zeros in pieces, because the rows of a large image would need gigabytes. */
function* zeros(sizeBytes: number): Generator<Buffer> {
  const piece = Buffer.alloc(1024 * 1024);
  for (let rest = sizeBytes; rest > 0; rest -= piece.length)
    yield piece.subarray(0, Math.min(rest, piece.length));
}

/** Returns the PNG with a comment in it. The pixels do not change. */
export function withComment(png: Buffer, comment: string): Buffer {
  const at = png.length - END_BYTES;
  const text = chunk('tEXt', Buffer.from(`Comment\0${comment}`, 'latin1'));
  return Buffer.concat([png.subarray(0, at), text, png.subarray(at)]);
}
