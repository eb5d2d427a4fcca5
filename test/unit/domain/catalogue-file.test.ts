import { describe, expect, it } from 'vitest';
import { CatalogueFile } from '../../../src/domain/catalogue-file.ts';
import { readBuiltIn } from '../../../src/lib/data-files.ts';

const prices = { text_in: 5, image_in: 8, image_out: 30 };
const free_sizes = { multiple_of: 16, min_pixels: 1, max_pixels: 100, max_edge: 10, max_ratio: 3 };

/** Returns the path and the message of each fault of a file with these models. */
function faultsOf(...models: object[]) {
  const given = models.map((model) => ({ id: 'a', status: 'current', ...model }));
  const result = CatalogueFile.safeParse({ price_version: '1', models: given });
  return (result.error?.issues ?? []).map(({ path, message }) => [path.join('.'), message]);
}

describe('a catalogue file', () => {
  it('the built-in one has no fault', () => {
    expect(CatalogueFile.safeParse(readBuiltIn('catalogue.json')).error).toBeUndefined();
  });

  it.each([
    ['a price below 0', { prices: { ...prices, image_out: -5 } }, 'prices.image_out'],
    ['a price that no sum can hold', { prices: { ...prices, image_out: 1e308 } }, 'prices.image_out'],
    [
      'a price for cached tokens below 0',
      { prices: { ...prices, text_in_cached: -1 } },
      'prices.text_in_cached',
    ],
    ['a token factor of 0', { token_factors: { low: 0 } }, 'token_factors.low'],
    ['output tokens of 0', { output_tokens: { low: { '1024x1024': 0 } } }, 'output_tokens.low.1024x1024'],
    ['a size without an edge', { sizes: ['0x0'] }, 'sizes.0'],
    ['a size that is no size', { sizes: ['auto', 'abc'] }, 'sizes.1'],
    ['an empty name', { aliases: [''] }, 'aliases.0'],
    ['no image in a request', { max_n: 0 }, 'max_n'],
    ['no time for a call', { call_timeout_s: 0 }, 'call_timeout_s'],
    ['no pixel in a free size', { free_sizes: { ...free_sizes, max_edge: 0 } }, 'free_sizes.max_edge'],
  ])('is refused for %s, because no request could be estimated or corrected', (_name, model, path) => {
    expect(faultsOf(model).map(([at]) => at)).toEqual([`models.0.${path}`]);
  });

  it('is refused for a price of a language model below 0', () => {
    const text_models = { 'gpt-5.4': { text_in: -1, text_out: 1 } };
    const file = { price_version: '1', models: [{ id: 'a', status: 'current' }], text_models };
    expect(CatalogueFile.safeParse(file).error?.issues[0]?.path).toEqual([
      'text_models',
      'gpt-5.4',
      'text_in',
    ]);
  });

  it.each([
    ['its own successor', { successor: 'a' }, 'a cannot be its own successor'],
    ['an unknown successor', { successor: 'zzz' }, 'has no model zzz, the successor of a'],
    [
      'an announcement after the shutdown',
      { deprecated_at: '2026-12-02', shutdown_at: '2026-12-01' },
      'a has deprecated_at after shutdown_at',
    ],
    [
      'more pixels than the most',
      { free_sizes: { ...free_sizes, min_pixels: 101 } },
      'a has min_pixels above max_pixels',
    ],
    [
      'more frames than the most',
      { frames: { min_count: 9, max_count: 8, max_duration_ms: 10 } },
      'a has min_count above max_count',
    ],
  ])('is refused for a model with %s, and names the contradiction', (_name, model, message) => {
    expect(faultsOf(model)).toEqual([['models.0', message]]);
  });

  it('is refused for a name that is listed twice', () => {
    expect(faultsOf({}, { id: 'b', aliases: ['a'] })).toEqual([['models.1', 'lists a twice']]);
  });
});
