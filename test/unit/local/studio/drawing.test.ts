import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { hex, mix } from '../../../../src/local/studio/drawing/color.ts';
import { chooseMood } from '../../../../src/local/studio/drawing/mood.ts';
import { blankPng } from '../../../../src/local/studio/drawing/png.ts';
import { firstNamed, wordsMatch } from '../../../../src/local/studio/drawing/prompt-words.ts';
import { createQuickImages } from '../../../../src/local/studio/drawing/quick.ts';
import { createRandom } from '../../../../src/local/studio/drawing/random.ts';
import { type RenderRequest, renderImage } from '../../../../src/local/studio/drawing/render.ts';

const request = (changes: Partial<RenderRequest> = {}): RenderRequest => ({
  prompt: 'mountains',
  seed: '',
  index: 0,
  width: 96,
  height: 64,
  format: 'png',
  compression: 100,
  transparent: false,
  ...changes,
});

// The prompts cover every composition.
const SCENES = [
  'mountain lake',
  'sea waves',
  'flowers',
  'galaxy',
  'abstract',
  'city',
  'dunes',
  'woman',
  'a fox',
  'a lighthouse in a storm',
];

describe('a drawn image', () => {
  it.each(SCENES)('draws %s in the requested size and not in one flat color', async (prompt) => {
    const bytes = await renderImage(request({ prompt, width: 144, height: 48 }));
    const { width, height, format, hasAlpha } = await sharp(bytes).metadata();
    expect({ width, height, format, hasAlpha }).toEqual({
      width: 144,
      height: 48,
      format: 'png',
      hasAlpha: false,
    });
    const { entropy } = await sharp(bytes).stats();
    expect(entropy).toBeGreaterThan(2);
  });

  it.each(SCENES)('draws %s with transparent corners on request', async (prompt) => {
    const bytes = await renderImage(request({ prompt, transparent: true, format: 'webp' }));
    const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    expect(info.channels).toBe(4);
    expect(data[3]).toBeLessThan(128);
    expect((await sharp(bytes).stats()).channels[3]?.max).toBe(255);
  });

  it('draws the same image for the same prompt, seed and index, and another image otherwise', async () => {
    const first = await renderImage(request());
    expect(first.equals(await renderImage(request()))).toBe(true);
    for (const change of [{ prompt: 'mountain' }, { seed: '7' }, { index: 1 }, { width: 112 }]) {
      expect(first.equals(await renderImage(request(change)))).toBe(false);
    }
  });

  it.each(['png', 'jpeg', 'webp'] as const)('marks a drawn %s as algorithmic media', async (format) => {
    const { xmpAsString, format: actual } = await sharp(await renderImage(request({ format }))).metadata();
    expect(actual).toBe(format);
    expect(xmpAsString).toContain('digitalsourcetype/algorithmicMedia');
  });

  it('selects the mood by the first color in the prompt', () => {
    const moodOf = (prompt: string) => chooseMood(prompt, createRandom(prompt)).name;
    expect(moodOf('a blue cat in golden light')).toBe('ocean');
    expect(moodOf('红色的房子')).toBe('crimson');
    expect(moodOf('starry night')).toBe('night');
  });
});

describe('words of the prompt', () => {
  it('matches whole words in scripts with spaces, and substrings in scripts without', () => {
    expect(wordsMatch('cat', 'a cat.')).toBe(true);
    expect(wordsMatch('cat', 'a category')).toBe(false);
    expect(wordsMatch('cat', '一只白猫')).toBe(true);
    expect(wordsMatch('cat', 'صورة القطة')).toBe(true);
    expect(wordsMatch('cat', 'dessine un chat noir')).toBe(true);
    expect(wordsMatch('no such name', 'cat')).toBe(false);
  });

  it('selects the name that occurs first in the prompt', () => {
    expect(firstNamed(['city', 'mountains'], 'a mountain behind the city')).toBe('mountains');
    expect(firstNamed(['city', 'mountains'], 'a spoon')).toBeNull();
  });
});

describe('a quick image', () => {
  it('creates flat and small quick images whose bytes differ by prompt, seed and index', async () => {
    const make = createQuickImages();
    const images = await Promise.all([
      make(request()),
      make(request({ index: 1 })),
      make(request({ seed: '1' })),
    ]);
    expect(new Set(images.map((bytes) => bytes.toString('base64'))).size).toBe(3);
    for (const bytes of images) expect(bytes.length).toBeLessThan(2000);
    expect(images[0]?.equals(await make(request()))).toBe(true);
  });

  it('creates a decodable quick image of about the requested size in bytes', async () => {
    const make = createQuickImages(100_000);
    const bytes = await make(request({ width: 512, height: 512 }));
    expect(bytes.length).toBeGreaterThan(100_000);
    expect(bytes.length).toBeLessThan(110_000);
    const { info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([512, 512]);
  });

  it.each(['jpeg', 'webp'] as const)('creates a quick image as %s', async (format) => {
    const bytes = await createQuickImages()(request({ format }));
    expect((await sharp(bytes).metadata()).format).toBe(format);
  });
});

describe('building blocks', () => {
  it('creates a blank PNG of the requested size', async () => {
    const { width, height } = await sharp(await blankPng(3, 20_000)).metadata();
    expect([width, height]).toEqual([3, 20_000]);
  });

  it('converts OKLCH to the known sRGB colors', () => {
    expect(hex([1, 0, 0])).toBe('#ffffff');
    expect(hex([0, 0, 0])).toBe('#000000');
    expect(hex([0.62796, 0.25768, 29.2339])).toBe('#ff0000');
    expect(hex([0.86644, 0.294827, 142.4953])).toBe('#00ff00');
    expect(hex([0.7, 0.4, 150])).toMatch(/^#[0-9a-f]{6}$/);
    expect(hex(mix([0, 0, 0], [1, 0, 0], 1))).toBe('#ffffff');
  });
});
