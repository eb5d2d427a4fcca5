import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import catalogueData from '../../../src/data/catalogue.json' with { type: 'json' };
import presetData from '../../../src/data/presets.json' with { type: 'json' };
import { CatalogueFile } from '../../../src/domain/catalogue-file.ts';
import { AppError } from '../../../src/domain/errors.ts';
import type { ImageRequest } from '../../../src/domain/image-request.ts';
import { createCatalogue } from '../../../src/domain/model-catalogue.ts';
import { checkAgainstCatalogue } from '../../../src/domain/model-rules.ts';
import {
  checkPresetImages,
  createPresets,
  Preset,
  PresetFile,
  promptTemplateOf,
} from '../../../src/domain/preset.ts';

const renderPreset = (preset: Preset, prompt: string, variables: Record<string, string>) =>
  promptTemplateOf({ preset, variables }).join(prompt);

const poster = Preset.parse({
  name: 'poster',
  description: 'A poster',
  template: 'Poster: {{prompt}}. Headline "{{headline}}" in {{style}}, {{style}}.',
  variables: {
    headline: { description: 'What it says', max_length: 10 },
    style: { description: 'Manner', default: 'woodcut', one_of: ['woodcut', 'riso'] },
  },
});

function issuesOf(run: () => unknown) {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError && error.code === 'validation_failed') return error.issues;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a preset', () => {
  it('fills a preset with the prompt, the given values and the defaults', () => {
    expect(renderPreset(poster, 'a fox', { headline: 'Run' })).toBe(
      'Poster: a fox. Headline "Run" in woodcut, woodcut.',
    );
    expect(renderPreset(poster, 'a fox', { headline: 'Run', style: 'riso' })).toContain('in riso, riso.');
  });

  it('treats an empty value as a missing one', () => {
    expect(renderPreset(poster, 'x', { headline: 'Run', style: ' ' })).toContain('woodcut');
    expect(issuesOf(() => renderPreset(poster, 'x', { headline: '' }))).toEqual([
      { pointer: '/preset/variables/headline', detail: 'is required by this preset' },
    ]);
  });

  it('lists every invalid variable', () => {
    const variables = { headline: 'far too long for it', style: 'oil', 'a/b': 'x', __proto__x: 'y' };
    expect(issuesOf(() => renderPreset(poster, 'x', variables)).map((issue) => issue.pointer)).toEqual([
      '/preset/variables/a~1b',
      '/preset/variables/__proto__x',
      '/preset/variables/headline',
      '/preset/variables/style',
    ]);
  });

  it.each(['__proto__', 'constructor', 'toString'])('rejects the undeclared variable %s', (name) => {
    const variables = JSON.parse(`{"headline":"x","${name}":"y"}`) as Record<string, string>;
    expect(issuesOf(() => renderPreset(poster, 'x', variables))).toHaveLength(1);
  });

  it('counts the length of a variable in code points', () => {
    expect(renderPreset(poster, 'x', { headline: '🦊'.repeat(10) })).toContain('🦊'.repeat(10));
    expect(issuesOf(() => renderPreset(poster, 'x', { headline: '🦊'.repeat(11) }))).toHaveLength(1);
  });

  it('inserts the prompt unchanged', () => {
    const prompt = 'line one\n"quoted" $& $1 {{style}} {{headline}} \\';
    expect(renderPreset(poster, prompt, { headline: 'Run' })).toBe(
      `Poster: ${prompt}. Headline "Run" in woodcut, woodcut.`,
    );
  });

  it.each([
    ['「a」『b』 ‘c’ ‚d‛ ‹e› «f» „g‟ ＂h＂', "'a''b' 'c' 'd' 'e' 'f' 'g' 'h'"],
    ['l’ombre d’été, rock ’n’ roll, the dogs’ day', "l’ombre d’été, rock 'n' roll, the dogs' day"],
    ['ab\u202ecd\u2066ef\u2069 \u200eg\u200f\u061c', 'abcdef g'],
  ])(
    'replaces characters of a value that could end a quotation or change the text direction: %j',
    (value, expected) => {
      const quoting = Preset.parse({
        name: 'quoting',
        description: 'x',
        template: '{{prompt}}「{{value}}」',
        variables: { value: { description: 'x' } },
      });
      expect(renderPreset(quoting, '', { value })).toBe(`「${expected}」`);
    },
  );

  it('never lets a value escape its quotation', () => {
    const open = Preset.parse({
      name: 'open',
      description: 'x',
      template: '[{{prompt}}] Say "{{value}}" and {{other}}.',
      variables: { value: { description: 'x' }, other: { description: 'x', default: 'end' } },
    });
    expect(renderPreset(open, 'p', { value: 'a"\r\n\u2028\tb\u0000“c” {{other}} {{prompt}} $&' })).toBe(
      `[p] Say "a' b 'c' {{other}} {{prompt}} $&" and end.`,
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (value) => {
        const rendered = renderPreset(open, 'p', { value: `x${value}` });
        expect(rendered).toMatch(/^\[p\] Say "[^"\n\r\p{Cc}]+" and end\.$/u);
      }),
    );
  });
});

describe('a preset file', () => {
  const base = { name: 'a', description: 'x', template: '{{prompt}}' };
  it.each([
    [{ ...base, template: 'no prompt in it' }, 'must hold {{prompt}}'],
    [{ ...base, template: '{{prompt}} {{style}}' }, 'holds {{style}}, which is not declared'],
    [{ ...base, template: '{{prompt}} {{ style }}' }, 'no placeholder'],
    [{ ...base, template: '{{prompt}} }}' }, 'no placeholder'],
    [{ ...base, variables: { style: { description: 'x' } } }, 'does not use the variable style'],
    [{ ...base, variables: { prompt: { description: 'x' } } }, 'name of the prompt itself'],
    [
      {
        ...base,
        template: '{{prompt}}{{s}}',
        variables: { s: { description: 'x', default: 'c', one_of: ['a', 'b'] } },
      },
      'its default must be one of a, b',
    ],
    [
      {
        ...base,
        template: '{{prompt}}{{s}}',
        variables: { s: { description: 'x', default: 'long', max_length: 3 } },
      },
      'its default must have at most 3',
    ],
    [
      { ...base, template: '{{prompt}}{{s}}', variables: { s: { description: 'x', one_of: ['a"b'] } } },
      'quotation marks',
    ],
    [{ ...base, name: 'Not A Name' }, 'name'],
    [{ ...base, defaults: { n: 3 } }, 'n'],
  ])('rejects the preset file %j', (preset, message) => {
    const result = PresetFile.safeParse({ presets: [preset] });
    expect(result.success).toBe(false);
    expect(JSON.stringify(result.error?.issues)).toContain(message);
  });
});

describe('the presets of a deployment', () => {
  const ours = PresetFile.parse({
    presets: [
      { name: 'a', description: 'first', template: '{{prompt}}' },
      { name: 'b', description: 'first', template: '{{prompt}}' },
    ],
  });
  const theirs = PresetFile.parse({
    presets: [
      { name: 'c', description: 'theirs', template: '{{prompt}}' },
      { name: 'a', description: 'theirs', template: '{{prompt}}!' },
    ],
  });

  it('merges the presets of all files, and a later file replaces an earlier one', () => {
    const presets = createPresets([ours, theirs]);
    expect(presets.all.map((preset) => [preset.name, preset.description])).toEqual([
      ['a', 'theirs'],
      ['b', 'first'],
      ['c', 'theirs'],
    ]);
  });

  it('rejects a file that names one preset twice', () => {
    const result = PresetFile.safeParse({ presets: [...ours.presets, ours.presets[0]] });
    expect(result.error?.issues).toMatchObject([{ path: ['presets', 2], message: 'lists a twice' }]);
  });

  it('selects a preset by name, with or without variables', () => {
    const presets = createPresets([ours]);
    expect(presets.choose(undefined)).toBeNull();
    expect(presets.choose('a')).toMatchObject({ preset: { name: 'a' }, variables: {} });
    expect(presets.choose({ name: 'b' })).toMatchObject({ preset: { name: 'b' }, variables: {} });
    expect(presets.choose({ name: 'b', variables: { x: 'y' } })?.variables).toEqual({ x: 'y' });
  });

  it('points to an unknown preset name', () => {
    const presets = createPresets([ours]);
    expect(issuesOf(() => presets.choose('nope'))).toEqual([
      { pointer: '/preset', detail: 'must be one of a, b' },
    ]);
    expect(issuesOf(() => presets.choose({ name: 'nope' }))[0]?.pointer).toBe('/preset/name');
  });
});

describe('the built-in presets', () => {
  const presets = createPresets([PresetFile.parse(presetData)]);
  const catalogue = createCatalogue(CatalogueFile.parse(catalogueData));

  it('lists the built-in presets', () => {
    expect(presets.all.map((preset) => preset.name).join(' ')).toBe(
      'avatar artwork ad-creative game-character avatar-from-photo product-background character-pose',
    );
  });

  it('refuses a preset that works on images without enough of them, with the pointer /images', () => {
    const preset = presets.choose('product-background')?.preset ?? poster;
    expect(issuesOf(() => checkPresetImages(preset, 0))).toEqual([
      { pointer: '/images', detail: expect.stringContaining('at least one image') },
    ]);
    expect(() => checkPresetImages(preset, 1)).not.toThrow();
    expect(() => checkPresetImages(poster, 0)).not.toThrow();
  });

  describe.each(presets.all.map((preset) => [preset.name, preset] as const))(
    'the built-in preset %s',
    (_name, preset) => {
      it('renders a built-in preset from a prompt alone', () => {
        const rendered = renderPreset(preset, 'a red fox', {});
        expect(rendered.startsWith('a red fox\n\n')).toBe(true);
        expect(rendered).not.toMatch(/\{\{|\}\}|undefined/);
      });

      it('accepts a value for every variable', () => {
        for (const [name, variable] of Object.entries(preset.variables)) {
          for (const value of variable.one_of ?? ['something else']) {
            expect(renderPreset(preset, 'a red fox', { [name]: value })).toContain(value);
          }
        }
      });

      it('requests nothing that a current model rejects', () => {
        for (const model of catalogue.models.filter((each) => each.status === 'current')) {
          const prompt = renderPreset(preset, 'a red fox', {});
          const request = { size: 'auto', ...preset.defaults, prompt, model: model.id, n: 1 } as ImageRequest;
          const options = { nowMs: Date.parse('2026-11-23'), allowUnknownModels: false };
          expect(() => checkAgainstCatalogue(request, catalogue, options)).not.toThrow();
        }
      });
    },
  );
});
