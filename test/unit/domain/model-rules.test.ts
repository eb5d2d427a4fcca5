import { describe, expect, it } from 'vitest';
import { CatalogueFile } from '../../../src/domain/catalogue-file.ts';
import type { ImageRequest } from '../../../src/domain/image-request.ts';
import { createCatalogue } from '../../../src/domain/model-catalogue.ts';
import { checkAgainstCatalogue } from '../../../src/domain/model-rules.ts';
import { requestOf } from '../../support/jobs.ts';
import { checkModel, modelRefusal, pointersOf, today } from '../../support/model-check.ts';

describe('free sizes', () => {
  it.each([
    '1024x1024',
    '1024x640', // This size has exactly the minimum of pixels.
    '3840x2160', // This size has exactly the maximum of pixels and the longest edge.
    '2160x3840',
    '1440x480', // This size has a ratio of exactly 3 to 1.
    '480x1440',
    'auto',
  ])('accepts a free size within the limits of the model: %s', (size) => {
    expect(checkModel({ size })).toEqual([]);
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
  ])('rejects a free size outside the limits of the model, with the reason: %s (%s)', (size, reason) => {
    const error = modelRefusal({ size });
    expect(error.code).toBe('validation_failed');
    expect(error.issues).toEqual([{ pointer: '/size', detail: expect.stringContaining(reason) }]);
  });

  it('accepts only listed sizes for a model without free sizes, and lists them in the error', () => {
    expect(checkModel({ model: 'gpt-image-1.5', size: '1536x1024' })).toHaveLength(1);
    const error = modelRefusal({ model: 'gpt-image-1.5', size: '2048x2048' });
    expect(error.issues[0]?.detail).toBe('must be one of auto, 1024x1024, 1536x1024, 1024x1536');
  });
});

describe('a model outside the catalogue', () => {
  it('accepts an unknown model with a warning', () => {
    expect(checkModel({ model: 'someone-elses', size: '7x7', quality: 'ultra' })).toEqual([
      expect.stringContaining('not in the catalogue'),
    ]);
  });

  it('rejects an unknown model if the deployment disallows it', () => {
    const error = modelRefusal({ model: 'someone-elses' }, { allowUnknownModels: false });
    expect(error.code).toBe('model_unknown');
    expect(pointersOf(error)).toEqual(['/model']);
  });
});

const modern = { model: 'gpt-image-2.6-flare' };

/** Request fields that a model does not support, and the pointer to the faulty one. */
const unsupported = [
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
] satisfies [Partial<ImageRequest>, string][];

describe('values that a model does not support', () => {
  it.each(unsupported)(
    'rejects a value that the model does not support and points to its field: %j at %s',
    (fields, pointer) => {
      const error = modelRefusal(fields);
      expect(error.code).toBe('validation_failed');
      expect(pointersOf(error)).toEqual([pointer]);
    },
  );

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

  it('says that a model takes no effort if its catalogue entry lists none', () => {
    const svg = { model: 'gpt-5.4', reasoning: { effort: 'low' } };
    expect(modelRefusal({ output_format: 'svg', svg }).issues).toContainEqual({
      pointer: '/svg/reasoning/effort',
      detail: 'gpt-image-2 does not take this parameter',
    });
  });

  it('rejects a prompt that is too long, counted in code points', () => {
    expect(checkModel({ prompt: '🦊'.repeat(32_000) })).toEqual([]);
    expect(pointersOf(modelRefusal({ prompt: 'x'.repeat(32_001) }))).toEqual(['/prompt']);
  });

  it('lists all unsupported values at once', () => {
    const error = modelRefusal({ quality: 'hd', size: '1x1', output_format: 'bmp', n: 20 });
    expect(pointersOf(error).sort()).toEqual(['/n', '/output_format', '/quality', '/size']);
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
  ] satisfies Partial<ImageRequest>[])('accepts values that the model supports: %j', (fields) => {
    expect(checkModel(fields)).toEqual([]);
  });
});
