import { describe, expect, it } from 'vitest';
import { inputTokens } from '../../../../src/local/studio/edits/input-tokens.ts';
import { modelFamily } from '../../../../src/local/studio/models.ts';
import { countTextTokens, imageUsage } from '../../../../src/local/studio/usage.ts';

describe('output tokens', () => {
  // Published figures for the 2.5 family.
  it.each([
    [1024, 1024, [196, 439, 1756, 3122, 7024]],
    [1536, 1024, [158, 343, 1372, 2459, 5488]],
    [2048, 2048, [397, 892, 3568, 6343, 14_272]],
    [3840, 2160, [371, 865, 3336, 5930, 13_342]],
  ])('counts the output tokens of %ix%i as in the published table', (width, height, expected) => {
    const family = modelFamily('gpt-image-2.5-sunburst');
    const tokens = ['low', 'medium', 'high', 'xhigh', 'max'].map((quality) =>
      family.outputTokens(width, height, quality),
    );
    expect(tokens).toEqual(expected);
  });

  it('counts the tokens of gpt-image-2 as invoices do: high costs as much as max on 2.5', () => {
    const family = modelFamily('gpt-image-2-2026-04-21');
    expect(family.outputTokens(1024, 1024, 'low')).toBe(196);
    expect(family.outputTokens(2048, 2048, 'high')).toBe(14_272);
    expect(family.qualities).toEqual(['low', 'medium', 'high']);
  });

  it('counts tokens of the older models that give the published price per image', () => {
    const micros = modelFamily('gpt-image-1.5').outputTokens(1024, 1536, 'high') * 32;
    expect(micros).toBe(200_000);
    expect(modelFamily('gpt-image-1-mini').outputTokens(1024, 1024, 'low') * 8).toBe(5000);
  });
});

describe('usage', () => {
  it('adds up the usage of every image and partial image, and counts the prompt once', () => {
    const family = modelFamily('gpt-image-2');
    const usage = imageUsage({
      prompt: 'a cat asleep',
      family,
      width: 1024,
      height: 1024,
      quality: 'low',
      inputTokens: 0,
      images: 3,
      partialImages: 2,
    });
    expect(usage).toEqual({
      input_tokens: 3,
      input_tokens_details: { image_tokens: 0, text_tokens: 3 },
      output_tokens: 3 * (196 + 200),
      output_tokens_details: { image_tokens: 3 * (196 + 200), text_tokens: 0 },
      total_tokens: 3 + 3 * (196 + 200),
    });
  });

  it('counts text in dense scripts by the character', () => {
    expect(countTextTokens('生成一幅美女的照片')).toBe(9);
    expect(countTextTokens('')).toBe(0);
  });

  it('counts a small input as twice as large, and limits large and long inputs', () => {
    expect(inputTokens({ width: 320, height: 200 })).toBe(20 * 13);
    expect(inputTokens({ width: 1024, height: 1024 })).toBe(1_024);
    expect(inputTokens({ width: 4_000, height: 4_000 })).toBe(1_536);
    expect(inputTokens({ width: 1_200, height: 100 })).toBe(38 * 13);
  });
});
