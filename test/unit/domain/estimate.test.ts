import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CostRange, estimateCost } from '../../../src/domain/estimate.ts';
import type { ImageRequest } from '../../../src/domain/image-request.ts';
import { builtInCatalogue } from '../../support/catalogue.ts';
import { requestOf } from '../../support/jobs.ts';

const catalogue = builtInCatalogue();
const estimate = (fields: Partial<ImageRequest>, promptTemplate?: string[], enhanceModel = 'gpt-5.4-mini') =>
  estimateCost(requestOf(fields), catalogue, { promptTemplate, enhanceModel });
function rangeOf(...given: Parameters<typeof estimate>): Pick<CostRange, 'low' | 'high'> {
  const range = estimate(...given);
  if (!range) throw new Error('the estimate is unknown');
  return { low: range.low, high: range.high };
}
const prompt = 'x'.repeat(4 * 18);

describe('an estimate', () => {
  it('starts at the invoice if quality and size are given, and adds at most the same text again', () => {
    expect(rangeOf({ prompt, quality: 'low', size: '1024x1024' })).toEqual({
      low: 5_970,
      high: 5_970 + 18 * 5,
    });
    expect(rangeOf({ prompt: 'x'.repeat(4 * 17), quality: 'high', size: '2048x2048' }).low).toBe(428_245);
  });

  it('covers every requested preview in its upper bound only, because the provider may send fewer', () => {
    const fields = { prompt, quality: 'low', size: '1024x1024', n: 2 };
    const [without, withThree] = [rangeOf(fields), rangeOf({ ...fields, partial_images: 3 })];
    expect(withThree).toEqual({ low: without.low, high: without.high + 2 * 3 * 100 * 30 });
  });

  it.each(['gif', 'svg'])(
    'is unknown for output format %s, which the token formula does not cover',
    (format) => {
      expect(estimate({ prompt, model: 'gpt-image-2.6-flare', output_format: format })).toBeNull();
    },
  );

  it('covers every quality and size that a request leaves to the model', () => {
    for (const model of ['gpt-image-2', 'gpt-image-2.5-flare', 'gpt-image-2.6-flare']) {
      const { qualities = [], sizes = [] } = catalogue.find(model) ?? {};
      for (const open of [{}, { quality: 'auto' }]) {
        const range = rangeOf({ prompt, model, size: 'auto', ...open });
        for (const quality of qualities.filter((each) => each !== 'auto')) {
          for (const size of sizes.filter((each) => each !== 'auto')) {
            const chosen = rangeOf({ prompt, model, quality, size });
            expect(range.low).toBeLessThanOrEqual(chosen.low);
            expect(range.high).toBeGreaterThanOrEqual(chosen.high);
          }
        }
      }
    }
  });

  it.each([
    ['gpt-image-2.6-flare', { quality: 'low', size: '1536x1024' }, 664],
    ['gpt-image-2.6-flare', { quality: 'high', size: '1536x1024' }, 1_353],
    ['gpt-image-2.6-flare', { size: 'auto' }, 5_800],
    ['gpt-image-2.6-sunburst', { quality: 'high', size: '3840x2160' }, 3_337],
  ])('estimates for %s with %j at least the measured number of %i tokens', (model, fields, tokens) => {
    expect(rangeOf({ prompt, model, ...fields }).high).toBeGreaterThanOrEqual(tokens * 30);
  });

  it('narrows an estimate without a quality if the catalogue knows the choice of the model', () => {
    const chosen = { prompt, model: 'gpt-image-2.6-sunburst', size: '1024x1024' };
    expect(rangeOf(chosen)).toEqual(rangeOf({ ...chosen, quality: 'high' }));
  });

  it('never has a lower bound above its upper bound', () => {
    const anyRequest = fc.record({
      prompt: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
      model: fc.constantFrom('gpt-image-2', 'gpt-image-2.6-flare', 'gpt-image-2.6-sunburst'),
      n: fc.integer({ min: 1, max: 10 }),
      enhance: fc.constantFrom('off' as const, 'auto' as const, 'always' as const),
      size: fc.constantFrom('auto', '1024x1024', '2048x1024'),
    });
    fc.assert(
      fc.property(anyRequest, (request) => {
        const { low, high } = rangeOf(request);
        expect(low).toBeGreaterThan(0);
        expect(low).toBeLessThanOrEqual(high);
      }),
    );
  });

  it('scales the estimate with the number of images', () => {
    expect(rangeOf({ prompt, quality: 'low', n: 7 }).low).toBe(7 * 5_970);
  });

  it('returns the same estimate for a model under its alias', () => {
    expect(rangeOf({ prompt, quality: 'low', model: 'gpt-image-2-2026-04-21' }).low).toBe(5_970);
  });

  it.each([
    ['a model outside the catalogue', { model: 'someone-elses-model' }],
    ['a model without a token formula', { model: 'gpt-image-1.5' }],
    ['a quality without a factor', { quality: 'hd' }],
    ['a model without prices', { model: 'dall-e-3' }],
  ])('returns an unknown estimate, never 0, for %s', (_name, fields) => {
    expect(estimate(fields)).toBeNull();
  });

  it('counts the texts of a preset for every image', () => {
    const promptTemplate = ['x'.repeat(4 * 100), 'x'.repeat(4 * 100)];
    const { low } = rangeOf({ prompt, quality: 'low', n: 3 }, promptTemplate);
    expect(low - 3 * 5_970).toBe(3 * 200 * 5);
  });

  it('covers the usual cost of a description and its longer prompt', () => {
    // Most descriptions need 400 and 200 tokens of the language model, and 200 for the image.
    const cost = 5_970 - 18 * 5 + 200 * 5 + 400 * 0.75 + 200 * 4.5;
    expect(rangeOf({ prompt, quality: 'low', enhance: 'always' }).high).toBeGreaterThan(cost);
    expect(rangeOf({ prompt, quality: 'low', enhance: 'auto' }).high).toBeGreaterThan(cost);
    expect(rangeOf({ prompt: 'x'.repeat(161), quality: 'low', enhance: 'auto' }).high).toBeLessThan(cost);
  });

  it('returns an unknown estimate if the price of the description is unknown', () => {
    expect(estimate({ prompt, enhance: 'always' }, undefined, 'someone-elses-model')).toBeNull();
  });
});
