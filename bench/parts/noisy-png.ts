import { crc32, deflateSync } from 'node:zlib';

/**
 * Creates a real PNG of noise in about 120 shades per color, which compresses as badly as a rich image: 2.7 MB at
 * 1024x1024. Format: W3C PNG, sections 5 (chunks) and 11.2 (IHDR).
 *
 * @param level of compression. 0 stores three bytes per pixel.
 */
export function noisyPng(width: number, height: number, level?: number): Buffer {
  const rowBytes = 1 + width * 3;
  const pixels = Buffer.alloc(rowBytes * height);
  let state = 1;
  for (let at = 0; at < pixels.length; at += 1) {
    if (at % rowBytes === 0) continue; // filter type 0 at the start of each row
    // A linear congruential generator (the constants of Numerical Recipes): the same image in every run.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    pixels[at] = (state >>> 24) % 120;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8); // 8 bits per sample, RGB
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels, level === undefined ? {} : { level })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([size, named, check]);
}
