import { describe, expect, it } from 'vitest';
import { CatalogueFile, parseSize } from '../../../src/domain/catalogue-file.ts';
import { createCatalogue } from '../../../src/domain/model-catalogue.ts';
import { checkAgainstCatalogue } from '../../../src/domain/model-rules.ts';
import { builtInCatalogue } from '../../support/catalogue.ts';
import { requestOf } from '../../support/jobs.ts';
import { checkModel, modelRefusal, today } from '../../support/model-check.ts';

const catalogue = builtInCatalogue();

describe('prices of language models', () => {
  it('finds prices for dated versions of a language model, and for no other name', () => {
    const prices = catalogue.textPrices('gpt-5.4-mini');
    expect(prices).not.toBeNull();
    expect(catalogue.textPrices('gpt-5.4-mini-2026-03-17')).toEqual(prices);
    expect(catalogue.textPrices('gpt-5.4-mini-turbo')).toBeNull();
    expect(catalogue.textPrices('')).toBeNull();
    expect(catalogue.textPrices('constructor')).toBeNull();
  });
});

describe('the built-in catalogue', () => {
  it('names an existing, usable successor for every model with a shutdown date', () => {
    const leaving = catalogue.models.filter((model) => model.status !== 'current');
    expect(leaving.length).toBeGreaterThan(0);
    for (const model of leaving) {
      expect(model.shutdown_at).not.toBeNull();
      expect(catalogue.find(model.successor ?? '')?.status).toBe('current');
    }
  });

  it('has a factor for every quality of a model with a formula, except auto', () => {
    for (const { token_factors, qualities } of catalogue.models) {
      if (token_factors)
        expect(Object.keys(token_factors)).toEqual(qualities.filter((name) => name !== 'auto'));
    }
  });

  it('accepts the minimal request for every model that is not retired', () => {
    const usable = catalogue.models.filter((model) => model.status !== 'retired');
    expect(usable.length).toBeGreaterThan(4);
    for (const { id } of usable) expect(() => checkModel({ model: id, size: 'auto' })).not.toThrow();
  });
});

describe('a model that is shut down', () => {
  it('rejects a retired model with the name of its successor', () => {
    const error = modelRefusal({ model: 'dall-e-3' });
    expect(error.code).toBe('model_retired');
    expect(error.message).toContain('gpt-image-2.6-sunburst');
    expect(error.issues).toEqual([
      { pointer: '/model', detail: expect.stringContaining('gpt-image-2.6-sunburst') },
    ]);
  });

  it('rejects a model from the start of its shutdown day, although the file still calls it deprecated', () => {
    const shutdown = Date.UTC(2026, 11, 1);
    expect(checkModel({ model: 'gpt-image-1.5' }, { nowMs: shutdown - 1 })).toEqual([
      expect.stringMatching(/deprecated.*2026-12-01.*gpt-image-2\.6-sunburst/),
    ]);
    const error = modelRefusal({ model: 'gpt-image-1.5' }, { nowMs: shutdown });
    expect(error.code).toBe('model_retired');
    expect(error.message).toContain('gpt-image-2.6-sunburst');
  });

  it('writes complete sentences about a retired model without a successor or a date', () => {
    const file = CatalogueFile.parse({
      price_version: '1',
      models: [
        { id: 'old', status: 'retired' },
        { id: 'aging', status: 'deprecated', shutdown_at: '2027-01-01', sizes: ['auto'] },
        { id: 'dated', status: 'deprecated', successor: 'young', sizes: ['auto'] },
        { id: 'lone', status: 'deprecated', sizes: ['auto'] },
        { id: 'young', status: 'current' },
      ],
    });
    const requestWith = (model: string) =>
      checkAgainstCatalogue(requestOf({ model, size: 'auto' }), createCatalogue(file), {
        nowMs: today,
        allowUnknownModels: true,
      });
    expect(requestWith('aging')).toEqual([
      'aging is deprecated and shuts down on 2027-01-01; move to a model from GET /models.',
    ]);
    expect(requestWith('dated')).toEqual(['dated is deprecated; move to young.']);
    expect(requestWith('lone')).toEqual(['lone is deprecated; move to a model from GET /models.']);
    expect(() => requestWith('old')).toThrow(/^(?!.*null).*$/);
  });
});

describe('a size', () => {
  it('parses a size of two edges in pixels and nothing else', () => {
    expect(parseSize('1536x1024')).toEqual({ width: 1536, height: 1024 });
    for (const text of ['auto', '', '10', 'x', '10x', '1e3x10', '-1x10', '10x10x10', ' 10x10', '123456x1'])
      expect(parseSize(text)).toBeNull();
  });
});
