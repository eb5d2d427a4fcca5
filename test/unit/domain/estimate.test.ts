import { describe, expect, it } from 'vitest';
import { estimateCost } from '../../../src/domain/estimate.ts';
import type { ImageRequest } from '../../../src/domain/image-request.ts';
import { builtInCatalogue } from '../../support/catalogue.ts';
import { requestOf } from '../../support/jobs.ts';

const catalogue = builtInCatalogue();
const estimate = (fields: Partial<ImageRequest>, promptTemplate?: string[], enhanceModel = 'gpt-5.4-mini') =>
  estimateCost(requestOf(fields), catalogue, { promptTemplate, enhanceModel });
const prompt = 'x'.repeat(4 * 18);

describe('an estimate', () => {
  it('equals the invoice where everything is said', () => {
    expect(estimate({ prompt, quality: 'low', size: '1024x1024' })).toBe(5_970);
    expect(estimate({ prompt: 'x'.repeat(4 * 17), quality: 'high', size: '2048x2048' })).toBe(428_245);
  });

  it('takes medium and 1024x1024 for what is left open', () => {
    const said = estimate({ prompt, quality: 'medium', size: '1024x1024' });
    expect(estimate({ prompt, size: 'auto' })).toBe(said);
    expect(estimate({ prompt, quality: 'auto', size: 'auto' })).toBe(said);
  });

  it('grows with the number of images', () => {
    expect(estimate({ prompt, quality: 'low', n: 7 })).toBe(7 * 5_970);
  });

  it('knows the same model under its alias', () => {
    expect(estimate({ prompt, quality: 'low', model: 'gpt-image-2-2026-04-21' })).toBe(5_970);
  });

  it.each([
    ['a model outside the catalogue', { model: 'someone-elses-model' }],
    ['a model without a token formula', { model: 'gpt-image-1.5' }],
    ['a quality without a factor', { quality: 'hd' }],
    ['a model without prices', { model: 'dall-e-3' }],
  ])('is unknown, never 0, for %s', (_name, fields) => {
    expect(estimate(fields)).toBeNull();
  });

  it('counts what a preset adds, for every image', () => {
    const promptTemplate = ['x'.repeat(4 * 100), 'x'.repeat(4 * 100)];
    const added = estimate({ prompt, quality: 'low', n: 3 }, promptTemplate) ?? 0;
    expect(added - 3 * 5_970).toBe(3 * 200 * 5);
  });

  it('is not below what a description and its longer prompt cost', () => {
    // 400 and 200 tokens of the language model, and 200 for the image: what most descriptions take.
    const cost = 5_970 - 18 * 5 + 200 * 5 + 400 * 0.75 + 200 * 4.5;
    expect(estimate({ prompt, quality: 'low', enhance: 'always' })).toBeGreaterThan(cost);
    expect(estimate({ prompt, quality: 'low', enhance: 'auto' })).toBeGreaterThan(cost);
    expect(estimate({ prompt: 'x'.repeat(161), quality: 'low', enhance: 'auto' })).toBeLessThan(cost);
  });

  it('is unknown where a description costs nobody knows what', () => {
    expect(estimate({ prompt, enhance: 'always' }, undefined, 'someone-elses-model')).toBeNull();
  });
});
