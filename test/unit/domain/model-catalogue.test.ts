import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/errors.ts';
import type { ImageRequest } from '../../../src/domain/image-request.ts';
import { CatalogueFile, createCatalogue, parseSize } from '../../../src/domain/model-catalogue.ts';
import { checkAgainstCatalogue } from '../../../src/domain/model-rules.ts';
import { builtInCatalogue } from '../../support/catalogue.ts';
import { requestOf } from '../../support/jobs.ts';

const catalogue = builtInCatalogue();
const today = Date.UTC(2026, 10, 23);

function check(
  fields: Partial<ImageRequest>,
  options: { nowMs?: number; allowUnknownModels?: boolean } = {},
) {
  return checkAgainstCatalogue(requestOf(fields), catalogue, {
    nowMs: today,
    allowUnknownModels: true,
    ...options,
  });
}

function refusal(fields: Partial<ImageRequest>, options: Parameters<typeof check>[1] = {}): AppError {
  try {
    check(fields, options);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error(`accepted: ${JSON.stringify(fields)}`);
}

const pointers = (error: AppError) => error.issues.map((issue) => issue.pointer);

describe('prices of language models', () => {
  it('finds prices for dated versions of a language model, and for no other name', () => {
    const prices = catalogue.textPrices('gpt-5.4-mini');
    expect(prices).not.toBeNull();
    expect(catalogue.textPrices('gpt-5.4-mini-2026-03-17')).toEqual(prices);
    expect(catalogue.textPrices('gpt-5.4-mini-turbo')).toBeNull();
    expect(catalogue.textPrices('')).toBeNull();
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
    for (const { id } of usable) expect(() => check({ model: id, size: 'auto' })).not.toThrow();
  });

  it('rejects a name that is listed twice', () => {
    const model = { id: 'a', status: 'current' };
    const result = CatalogueFile.safeParse({
      price_version: '1',
      models: [model, { id: 'b', aliases: ['a'], status: 'current' }],
    });
    expect(result.error?.issues).toMatchObject([{ path: ['models', 1], message: 'lists a twice' }]);
  });
});

describe('free sizes', () => {
  it.each([
    '1024x1024',
    '1024x640', // This size has exactly the minimum of pixels.
    '3840x2160', // This size has exactly the maximum of pixels and the longest edge.
    '2160x3840',
    '1440x480', // This size has a ratio of exactly 3 to 1.
    '480x1440',
    'auto',
  ])('accepts the size %s', (size) => {
    expect(check({ size })).toEqual([]);
  });

  it.each([
    ['1023x1024', 'multiples of 16'],
    ['1024x1032', 'multiples of 16'],
    ['3856x2048', 'no edge may be above 3840'],
    ['1024x624', 'pixels in all'],
    ['3840x2176', 'pixels in all'],
    ['1456x480', 'at most 3 to 1'],
    ['480x1456', 'at most 3 to 1'],
    ['256x256', 'pixels in all'],
    ['99999x99999', 'multiples of 16'],
  ])('rejects the size %s: %s', (size, reason) => {
    const error = refusal({ size });
    expect(error.code).toBe('validation_failed');
    expect(error.issues).toEqual([{ pointer: '/size', detail: expect.stringContaining(reason) }]);
  });

  it('accepts only listed sizes for a model without free sizes, and lists them in the error', () => {
    expect(check({ model: 'gpt-image-1.5', size: '1536x1024' })).toHaveLength(1);
    const error = refusal({ model: 'gpt-image-1.5', size: '2048x2048' });
    expect(error.issues[0]?.detail).toBe('must be one of auto, 1024x1024, 1536x1024, 1024x1536');
  });
});

describe('a model that is shut down', () => {
  it('rejects a retired model with the name of its successor', () => {
    const error = refusal({ model: 'dall-e-3' });
    expect(error.code).toBe('model_retired');
    expect(error.message).toContain('gpt-image-2.6-sunburst');
    expect(error.issues).toEqual([
      { pointer: '/model', detail: expect.stringContaining('gpt-image-2.6-sunburst') },
    ]);
  });

  it('rejects a model from the start of its shutdown day, although the file still calls it deprecated', () => {
    const shutdown = Date.UTC(2026, 11, 1);
    expect(check({ model: 'gpt-image-1.5' }, { nowMs: shutdown - 1 })).toEqual([
      expect.stringMatching(/deprecated.*2026-12-01.*gpt-image-2\.6-sunburst/),
    ]);
    const error = refusal({ model: 'gpt-image-1.5' }, { nowMs: shutdown });
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

describe('a model outside the catalogue', () => {
  it('accepts an unknown model with a warning', () => {
    expect(check({ model: 'someone-elses', size: '7x7', quality: 'ultra' })).toEqual([
      expect.stringContaining('not in the catalogue'),
    ]);
  });

  it('rejects an unknown model if the deployment disallows it', () => {
    const error = refusal({ model: 'someone-elses' }, { allowUnknownModels: false });
    expect(error.code).toBe('model_unknown');
    expect(pointers(error)).toEqual(['/model']);
  });
});

const modern = { model: 'gpt-image-2.6-flare' };

describe('values that a model does not support', () => {
  it.each([
    [{ quality: 'xhigh' }, '/quality'],
    [{ complexity: 'high' }, '/complexity'],
    [{ background: 'green' }, '/background'],
    [{ moderation: 'none' }, '/moderation'],
    [{ output_format: 'gif' }, '/output_format'],
    [{ output_compression: 50 }, '/output_compression'],
    [{ output_compression: 50, output_format: 'png' }, '/output_compression'],
    [{ background: 'transparent', output_format: 'jpeg' }, '/background'],
    [{ n: 11 }, '/n'],
    [{ ...modern, background: 'transparent', output_format: 'gif' }, '/background'],
    [{ ...modern, output_compression: 50, output_format: 'gif' }, '/output_compression'],
    [{ ...modern, frame_count: 4 }, '/frame_count'],
    [{ ...modern, frame_duration_ms: 100, output_format: 'webp' }, '/frame_duration_ms'],
    [{ ...modern, frame_count: 17, output_format: 'gif' }, '/frame_count'],
    [{ ...modern, frame_duration_ms: 655_360, output_format: 'gif' }, '/frame_duration_ms'],
    [{ ...modern, svg: { model: 'gpt-5.4' } }, '/svg'],
    [{ ...modern, output_format: 'svg' }, '/svg/model'],
    [{ ...modern, output_format: 'svg', svg: { reasoning: { effort: 'low' } } }, '/svg/model'],
    [
      { ...modern, output_format: 'svg', svg: { model: 'gpt-5.4', reasoning: { effort: 'huge' } } },
      '/svg/reasoning/effort',
    ],
    [{ ...modern, partial_images: 4 }, '/partial_images'],
    [{ ...modern, partial_images: 1, output_format: 'gif' }, '/partial_images'],
    [{ ...modern, partial_images: 1, output_format: 'svg', svg: { model: 'gpt-5.4' } }, '/partial_images'],
    [{ input_fidelity: 'high' }, '/input_fidelity'],
  ] satisfies [Partial<ImageRequest>, string][])('rejects %j at %s', (fields, pointer) => {
    const error = refusal(fields);
    expect(error.code).toBe('validation_failed');
    expect(pointers(error)).toEqual([pointer]);
  });

  it('rejects previews and animations for a model whose catalogue entry has no rules for them', () => {
    const file = CatalogueFile.parse({
      price_version: '1',
      models: [{ id: 'plain', status: 'current', sizes: ['auto'], output_formats: ['png', 'gif'] }],
    });
    const fields = { model: 'plain', size: 'auto', partial_images: 1, output_format: 'gif' };
    const issues = () =>
      checkAgainstCatalogue(requestOf(fields), createCatalogue(file), {
        nowMs: today,
        allowUnknownModels: true,
      });
    expect(issues).toThrow(
      expect.objectContaining({
        issues: expect.arrayContaining([
          { pointer: '/output_format', detail: 'plain does not make animations' },
          { pointer: '/partial_images', detail: 'plain sends no partial images' },
        ]),
      }),
    );
  });

  it('rejects a prompt that is too long, counted in code points', () => {
    expect(check({ prompt: '🦊'.repeat(32_000) })).toEqual([]);
    expect(pointers(refusal({ prompt: 'x'.repeat(32_001) }))).toEqual(['/prompt']);
  });

  it('lists all unsupported values at once', () => {
    const error = refusal({ quality: 'hd', size: '1x1', output_format: 'bmp', n: 20 });
    expect(pointers(error).sort()).toEqual(['/n', '/output_format', '/quality', '/size']);
  });

  it.each([
    { background: 'transparent' },
    { background: 'transparent', output_format: 'webp' },
    { output_compression: 0, output_format: 'webp' },
    { output_compression: 100, output_format: 'jpeg' },
    { model: 'gpt-image-2.6-flare', complexity: 'low', quality: 'max' },
    { n: 10 },
    { partial_images: 3 },
    { ...modern, partial_images: 0, output_format: 'gif' },
    { ...modern, output_format: 'gif', frame_count: 16, frame_duration_ms: 655_350 },
    { ...modern, output_format: 'svg', svg: { model: 'gpt-5.4', reasoning: { effort: 'none' } } },
  ] satisfies Partial<ImageRequest>[])('accepts %j', (fields) => {
    expect(check(fields)).toEqual([]);
  });
});

describe('a size', () => {
  it('parses a size of two edges in pixels and nothing else', () => {
    expect(parseSize('1536x1024')).toEqual({ width: 1536, height: 1024 });
    for (const text of ['auto', '', '10', 'x', '10x', '1e3x10', '-1x10', '10x10x10', ' 10x10', '123456x1'])
      expect(parseSize(text)).toBeNull();
  });
});
