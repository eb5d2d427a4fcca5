import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CostRange, createEstimate, type EstimateFacts } from '../../../src/domain/estimate.ts';
import type { ImageRequest } from '../../../src/domain/image-request.ts';
import { maxSampleTokens } from '../../../src/domain/token-samples.ts';
import { builtInCatalogue } from '../../support/catalogue.ts';
import { requestOf } from '../../support/jobs.ts';

const catalogue = builtInCatalogue();
const estimate = (fields: Partial<ImageRequest>, promptTemplate?: string[], enhanceModel = 'gpt-5.4-mini') =>
  createEstimate({ catalogue, enhanceModel })(requestOf(fields), { promptTemplate });
function rangeOf(...given: Parameters<typeof estimate>): Pick<CostRange, 'low' | 'high'> {
  const range = estimate(...given);
  if (!range) throw new Error('the estimate is unknown');
  return { low: range.low, high: range.high };
}
const prompt = 'x'.repeat(4 * 18);

describe('an estimate', () => {
  it('starts at the invoice if quality and size are given, and adds at most the same text and an overhead', () => {
    expect(rangeOf({ prompt, quality: 'low', size: '1024x1024' })).toEqual({
      low: 5_970,
      high: 5_970 + (18 + 6) * 5,
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
    ['a free size of a model without a token formula', { model: 'gpt-image-1.5', size: '1280x720' }],
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

describe('an estimate of a model without a token formula', () => {
  const old = { model: 'gpt-image-1.5', quality: 'high', size: '1024x1536' };

  it('uses the published tokens of its quality and size', () => {
    expect(rangeOf({ prompt, ...old }).low).toBe(6_240 * 32 + 18 * 5);
    expect(rangeOf({ prompt, model: 'gpt-image-1-mini', size: 'auto' })).toMatchObject({
      low: 272 * 8 + 18 * 2,
      high: 6_240 * 8 + (2 * 18 + 6) * 2,
    });
  });

  it('is unknown for an edit, because its inputs are counted by other rules', () => {
    const facts: EstimateFacts = { inputs: [{ role: 'image', width: 64, height: 64 }] };
    expect(createEstimate({ catalogue, enhanceModel: '' })(requestOf(old), facts)).toBeNull();
  });
});

describe('the upper bound of an estimate', () => {
  const chosen = { quality: 'low', size: '1024x1024' };
  const textOf = (text: string) => rangeOf({ prompt: text, ...chosen }).high - 196 * 30;

  it.each([
    ['a text whose every character is a token', '1!2?3#4%5&', 10],
    ['a text of emoji with four tokens each', '🦊🐙', 8],
    ['a short word with the tokens that providers add', 'fox', 1 + 6],
  ])('covers %s', (_name, text, tokens) => {
    expect(textOf(text)).toBeGreaterThanOrEqual(tokens * 5);
  });

  it('covers a description at the token limit of its call', () => {
    const { high } = rangeOf({ prompt, ...chosen, enhance: 'always' });
    expect(high).toBeGreaterThanOrEqual(196 * 30 + 2_000 * 5 + 2_000 * 4.5);
  });

  it('covers the host model that runs the image tool, and is unknown without its price', () => {
    const by = (hostModel?: string) =>
      createEstimate({ catalogue, enhanceModel: '', hostModel })(requestOf({ prompt, ...chosen }));
    expect(by('gpt-5.4-mini')?.high).toBeGreaterThan((by()?.high ?? 0) + 1_000 * 4.5);
    expect(by('someone-elses-model')).toBeNull();
  });
});

describe('an estimate with earlier images', () => {
  const sample = { output: 0, inputImages: 0, textFactor: 0, hostMicroUsd: 0 };
  const request = requestOf({ prompt, quality: 'low', size: '1024x1024' });
  const withSamples = (median: Partial<typeof sample>, max: Partial<typeof sample>) =>
    createEstimate({
      catalogue,
      enhanceModel: '',
      findSamples: () => ({ median: { ...sample, ...median }, max: { ...sample, ...max } }),
    })(request);

  it('has their median as its lower bound and their maximum as its upper bound', () => {
    expect(withSamples({ output: 700 }, { output: 800 })).toMatchObject({
      low: 700 * 30 + 18 * 5,
      high: 800 * 30 + (2 * 18 + 6) * 5,
    });
  });

  it('never lowers the upper bound of the formula', () => {
    expect(withSamples({ output: 50 }, { output: 100 })?.high).toBe(
      rangeOf({ prompt, quality: 'low', size: '1024x1024' }).high,
    );
  });

  it('raises the price of text and of inputs if the provider counts more tokens', () => {
    const { high = 0 } = withSamples({ output: 196 }, { output: 196, textFactor: 4, inputImages: 10 }) ?? {};
    expect(high).toBe(196 * 30 + 4 * (18 + 6) * 5 + 10 * 8);
  });

  it('covers no more text than the largest sample, also if a short prompt had many tokens besides its text', () => {
    const { high = 0 } = withSamples({ output: 196 }, { output: 196, textFactor: 50_000 }) ?? {};
    expect(high).toBe(196 * 30 + maxSampleTokens * 5);
  });
});
