import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createThumbnailMaker } from '../../src/outbound/media/thumbnail-maker.ts';
import { chunked, noiseImage } from '../support/images.ts';

const maker = createThumbnailMaker();

describe('the maker of thumbnails', () => {
  it.each([
    [1024, 512, 512, 256],
    [300, 600, 256, 512],
    [64, 32, 64, 32],
  ])('turns %d x %d pixels into a WebP of %d x %d with a placeholder', async (width, height, w, h) => {
    const made = await maker.make(chunked(await noiseImage(width, height)));
    expect(await sharp(made?.bytes).metadata()).toMatchObject({ format: 'webp', width: w, height: h });
    expect(Buffer.from(made?.hash ?? '', 'base64').length).toBeGreaterThan(10);
  });

  it('makes nothing of bytes that are no image, or of half an image, and continues with the next one', async () => {
    const image = await noiseImage(256, 256);
    expect(await maker.make(chunked(Buffer.from('<html>'.repeat(1_000))))).toBeNull();
    expect(await maker.make(chunked(image.subarray(0, image.length / 2)))).toBeNull();
    expect(await maker.make(chunked(image))).not.toBeNull();
  });

  it('passes on a fault of the storage, so that the thumbnail is tried again', async () => {
    async function* broken() {
      yield (await noiseImage(256, 256)).subarray(0, 1_000);
      throw new Error('the connection was cut');
    }
    await expect(maker.make(broken())).rejects.toThrow('the connection was cut');
  });
});
