import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createImageInspector } from '../../src/outbound/media/image-inspector.ts';
import { createStaging } from '../../src/outbound/media/staging.ts';
import { hostileFiles } from '../support/hostile-files.ts';
import { chunked, noiseImage } from '../support/images.ts';
import { blackPng, pngChunk, withChunks } from '../support/png-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const hostile = await hostileFiles();
const png = await noiseImage(96, 64);
const jpeg = await noiseImage(96, 64, 'jpeg');

async function open() {
  const folder = join(await temporaryFolder(), 'incoming');
  const staging = createStaging(folder);
  const inspector = createImageInspector(staging, { maxConcurrent: 2 });
  return {
    files: () => readdir(folder),
    async inspect(bytes: Buffer, findTransparency = false) {
      const file = await staging.write(chunked(bytes), { maxBytes: 60_000_000 });
      const inspected = await inspector.inspect(file, { findTransparency });
      return { ...inspected, bytes: await readFile(inspected.file.path) };
    },
  };
}

/** Inserts bytes before the end marker of a JPEG file. */
const beforeEnd = (file: Buffer, bytes: Buffer) =>
  Buffer.concat([file.subarray(0, -2), bytes, file.subarray(-2)]);

describe('the inspector of images', () => {
  it.each(hostile)('refuses $name with its reason', async ({ bytes, reason }) => {
    const { inspect, files } = await open();
    await expect(inspect(bytes)).rejects.toMatchObject({
      code: 'input_invalid',
      message: expect.stringMatching(reason),
    });
    expect(await files()).toHaveLength(1);
  });

  it.each([
    [
      'a WebP of 26 megapixels',
      () => black(6_000, 4_334).webp({ effort: 0 }).toBuffer(),
      /plain JPEG or PNG/,
    ],
    [
      'a progressive JPEG of 26 megapixels',
      () => black(6_000, 4_334).jpeg({ progressive: true }).toBuffer(),
      /progressive/,
    ],
    [
      'a PNG with an edge of 70,000 pixels',
      async () => blackPng({ width: 70_000, height: 2, color: 0 }),
      /edge/,
    ],
  ])('refuses %s', async (_, create, reason) => {
    const { inspect } = await open();
    await expect(inspect(await create())).rejects.toThrow(reason);
  });

  it('accepts a plain image of 49 megapixels unchanged', async () => {
    const { inspect } = await open();
    const bytes = blackPng({ width: 7_000, height: 7_000, color: 0 });
    expect(await inspect(bytes)).toMatchObject({ isRewritten: false, width: 7_000, height: 7_000, bytes });
  });

  it('accepts a JPEG with a few stray bytes, which some cameras write', async () => {
    const { inspect } = await open();
    const bytes = beforeEnd(jpeg, Buffer.alloc(12, 7));
    expect(await inspect(bytes)).toMatchObject({ isRewritten: false, bytes });
  });

  it('removes chunks of a PNG that are not part of the image, and nothing else', async () => {
    const { inspect } = await open();
    const described = withChunks(
      png,
      pngChunk('tEXt', Buffer.from('GPS\u00005130')),
      pngChunk('prVt', Buffer.from('serial number')),
      pngChunk('zTXt', Buffer.from('Title\0\0damaged')),
    );
    expect(await inspect(described)).toMatchObject({ isRewritten: true, bytes: png });
  });

  it('passes on colors, resolution and content credentials of a PNG', async () => {
    const { inspect } = await open();
    const bytes = withChunks(
      png,
      pngChunk('gAMA', Buffer.of(0, 0, 0xb1, 0x8f)),
      pngChunk('pHYs', Buffer.of(0, 0, 11, 19, 0, 0, 11, 19, 1)),
      pngChunk('caBX', Buffer.from('manifest')),
    );
    expect(await inspect(bytes)).toMatchObject({ isRewritten: false, bytes });
  });

  it('removes the thumbnail in the header of a JPEG, which may show what was cut off, and nothing else', async () => {
    const header = (width: number, height: number) => {
      const pixels = Buffer.alloc(3 * width * height, 'secret');
      const fields = Buffer.from([1, 2, 0, 0, 1, 0, 1, width, height]);
      const content = Buffer.concat([Buffer.from('JFIF\0'), fields, pixels]);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(content.length + 2);
      return Buffer.concat([Buffer.of(0xff, 0xe0), length, content]);
    };
    // The encoder writes no header of its own, or one of 18 bytes.
    const rest = jpeg.subarray(jpeg[3] === 0xe0 ? 20 : 2);
    const withHeader = (bytes: Buffer) => Buffer.concat([jpeg.subarray(0, 2), bytes, rest]);
    const { inspect } = await open();
    const plain = withHeader(header(0, 0));
    expect(await inspect(withHeader(header(20, 15)))).toMatchObject({ isRewritten: true, bytes: plain });
    expect(await inspect(plain)).toMatchObject({ isRewritten: false, bytes: plain });
  });

  it('removes unknown chunks of a WebP, and nothing else', async () => {
    const { inspect } = await open();
    const webp = await noiseImage(96, 64, 'webp');
    const chunk = Buffer.concat([Buffer.from('prVt'), Buffer.of(6, 0, 0, 0), Buffer.from('serial')]);
    const described = Buffer.concat([webp, chunk]);
    described.writeUInt32LE(described.length - 8, 4);
    expect(await inspect(described)).toMatchObject({ isRewritten: true, bytes: webp });
  });

  it.each(['png', 'jpeg', 'webp'] as const)(
    'sets a turned %s upright and removes its metadata',
    async (format) => {
      const { inspect } = await open();
      const bytes = await sharp(png).toFormat(format).withMetadata({ orientation: 6 }).toBuffer();
      const result = await inspect(bytes);
      expect(result).toMatchObject({ isRewritten: true, width: 64, height: 96 });
      const metadata = await sharp(result.bytes).metadata();
      expect(metadata).toMatchObject({ format, width: 64, height: 96 });
      expect([metadata.orientation ?? 1, metadata.exif]).toEqual([1, undefined]);
    },
  );

  it('finds one clear pixel among millions, and none in an opaque image', async () => {
    const { inspect } = await open();
    const pixels = Buffer.alloc(1_500 * 1_500 * 4, 255);
    const opaque = await rgba(pixels);
    pixels[pixels.length - 1] = 254;
    expect([
      (await inspect(opaque, true)).hasTransparency,
      (await inspect(await rgba(pixels), true)).hasTransparency,
    ]).toEqual([false, true]);
  });
});

const black = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: 'black' } });

const rgba = (pixels: Buffer) =>
  sharp(pixels, { raw: { width: 1_500, height: 1_500, channels: 4 } })
    .png()
    .toBuffer();
