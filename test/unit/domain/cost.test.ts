import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  costOfText,
  costOfUsage,
  outputTokens,
  promptTokens,
  sumCosts,
  type TokenUsage,
} from '../../../src/domain/cost.ts';
import { builtInCatalogue } from '../../support/catalogue.ts';

const prices = builtInCatalogue().find('gpt-image-2')?.prices ?? null;
const generation = { hasImages: false };
const edit = { hasImages: true };
const usageOf = (input: number, output: number, details: Partial<TokenUsage> = {}): TokenUsage => ({
  input_tokens: input,
  output_tokens: output,
  total_tokens: input + output,
  ...details,
});

describe('the cost of a finished call', () => {
  it.each([
    ['low at 1024x1024', 18, 196, 5_970],
    ['high at 2048x2048', 17, 14_272, 428_245],
  ])('computes the amount on the invoice of the provider: %s', (_name, input, output, microUsd) => {
    expect(costOfUsage(usageOf(input, output), prices, generation)).toBe(microUsd);
  });

  it('returns an unknown cost, never 0, without usage or without prices', () => {
    expect(costOfUsage(null, prices, generation)).toBeNull();
    expect(costOfUsage(undefined, prices, generation)).toBeNull();
    expect(costOfUsage(usageOf(18, 196), null, generation)).toBeNull();
  });

  it('prices every output token as image if details are missing or the model makes no text', () => {
    const withText = { output_tokens_details: { text_tokens: 100, image_tokens: 96 } };
    const noTextPrice = builtInCatalogue().find('gpt-image-2.5-flare')?.prices ?? null;
    expect(costOfUsage(usageOf(0, 196), prices, generation)).toBe(196 * 30);
    expect(costOfUsage(usageOf(0, 196, withText), prices, generation)).toBe(100 * 10 + 96 * 30);
    expect(costOfUsage(usageOf(0, 196, withText), noTextPrice, generation)).toBe(196 * 30);
  });

  it('prices image input and cached text at their own rates', () => {
    const flare = builtInCatalogue().find('gpt-image-2.6-flare')?.prices ?? null;
    const details = { input_tokens_details: { text_tokens: 20, image_tokens: 80, cached_tokens: 10 } };
    expect(costOfUsage(usageOf(100, 0, details), flare, generation)).toBe(
      Math.round(10 * 5 + 10 * 1.25 + 80 * 8),
    );
    expect(costOfUsage(usageOf(100, 0, details), prices, generation)).toBe(20 * 5 + 80 * 8);
  });

  it('prices cached tokens of text and of images at their own rates if the provider reports both', () => {
    const flare = builtInCatalogue().find('gpt-image-2.6-flare')?.prices ?? null;
    const details = {
      input_tokens_details: { text_tokens: 20, image_tokens: 24_576 },
      cached_tokens_details: { cached_text_tokens: 10, cached_image_tokens: 20_000 },
    };
    expect(costOfUsage(usageOf(24_596, 0, details), flare, edit)).toBe(
      Math.round(10 * 5 + 10 * 1.25 + 4_576 * 8 + 20_000 * 2),
    );
    // This model has no price for cached tokens.
    expect(costOfUsage(usageOf(24_596, 0, details), prices, edit)).toBe(20 * 5 + 24_576 * 8);
    const tooMany = { ...details, cached_tokens_details: { cached_image_tokens: 90_000 } };
    expect(costOfUsage(usageOf(24_596, 0, tooMany), flare, edit)).toBe(20 * 5 + 24_576 * 2);
  });

  it.each([
    ['no details', undefined, 100 * 8],
    ['empty details', {}, 100 * 8],
    ['details of 0', { text_tokens: 0, image_tokens: 0 }, 100 * 8],
    ['half the details', { text_tokens: 10, image_tokens: 40 }, 10 * 5 + 90 * 8],
    ['more text than input', { text_tokens: 500 }, 100 * 5],
    ['all details', { text_tokens: 10, image_tokens: 90 }, 10 * 5 + 90 * 8],
  ])('prices input tokens of an edit that may be an image as an image: %s', (_name, details, microUsd) => {
    const usage = usageOf(100, 0, details && { input_tokens_details: details });
    expect(costOfUsage(usage, prices, edit)).toBe(microUsd);
  });

  it('prices every input token of a generation as text, because it sends no image', () => {
    expect(costOfUsage(usageOf(100, 0), prices, generation)).toBe(500);
    const empty = { input_tokens_details: { text_tokens: 0, image_tokens: 0 } };
    expect(costOfUsage(usageOf(100, 0, empty), prices, generation)).toBe(500);
  });

  it('returns a whole, non-negative cost whatever the provider reports', () => {
    const count = fc.nat(5_000_000);
    const details = fc.record(
      { text_tokens: count, image_tokens: count, cached_tokens: count },
      { requiredKeys: [] },
    );
    const part = fc.record({ tokens: count, details });
    fc.assert(
      fc.property(part, part, (input, output) => {
        const usage = usageOf(input.tokens, output.tokens, {
          input_tokens_details: input.details,
          output_tokens_details: output.details,
        });
        const cost = costOfUsage(usage, prices, generation);
        expect(Number.isSafeInteger(cost)).toBe(true);
        expect(cost).toBeGreaterThanOrEqual(0);
        expect(costOfUsage(usage, prices, edit)).toBeGreaterThanOrEqual(cost ?? 0);
      }),
    );
  });
});

describe('output tokens of an image', () => {
  it.each([
    [1024, 1024, [196, 439, 1756, 3122, 7024]],
    [1536, 1024, [158, 343, 1372, 2459, 5488]],
    [2048, 2048, [397, 892, 3568, 6343, 14272]],
    [3840, 2160, [371, 865, 3336, 5930, 13342]],
  ])(
    'computes the published output tokens of %ix%i for the factors 16, 24, 48, 64, 96',
    (width, height, counts) => {
      expect([16, 24, 48, 64, 96].map((factor) => outputTokens(factor, width, height))).toEqual(counts);
      expect([16, 24, 48, 64, 96].map((factor) => outputTokens(factor, height, width))).toEqual(counts);
    },
  );
});

describe('a sum of amounts', () => {
  it('returns an unknown sum if one amount is unknown', () => {
    expect(sumCosts([5, null, 7])).toBeNull();
    expect(sumCosts([null])).toBeNull();
    expect(sumCosts([5, 0, 7])).toBe(12);
    expect(sumCosts([])).toBe(0);
  });
});

describe('the cost of a text call', () => {
  it('returns an unknown cost of a text call, never 0, without usage or prices', () => {
    const mini = builtInCatalogue().textPrices('gpt-5.4-mini');
    expect(costOfText({ input_tokens: 400, output_tokens: 200 }, mini)).toBe(1_200);
    expect(costOfText(null, mini)).toBeNull();
    expect(costOfText({ input_tokens: 400, output_tokens: 200 }, null)).toBeNull();
    expect(builtInCatalogue().textPrices('some-other-model')).toBeNull();
  });
});

describe('a rough count of prompt tokens', () => {
  it('counts four Latin letters, or one character of a wide script, as one token', () => {
    expect(promptTokens('abcdefgh')).toBe(2);
    expect(promptTokens('灯塔')).toBe(2);
    expect(promptTokens('🦊')).toBe(1);
    expect(promptTokens('a')).toBe(1);
  });
});
