import { expect, it } from 'vitest';
import { PresetFile } from '../../../src/domain/preset.ts';
import { presetFaults } from '../../../src/domain/preset-faults.ts';
import { readBuiltIn } from '../../../src/lib/data-files.ts';
import { builtInCatalogue } from '../../support/catalogue.ts';

const options = { defaultModel: 'gpt-image-2', allowUnknownModels: false, nowMs: Date.parse('2026-11-30') };
const faultsOf = (defaults: object) => {
  const preset = { name: 'house', description: 'x', template: '{{prompt}}', defaults };
  return presetFaults(PresetFile.parse({ presets: [preset] }).presets, builtInCatalogue(), options);
};

it('the built-in presets have defaults that their models take', () => {
  const { presets } = PresetFile.parse(readBuiltIn('presets.json'));
  expect(presetFaults(presets, builtInCatalogue(), options)).toEqual([]);
});

it.each([
  [{ size: '7x7' }, /^PRESETS_FILE: default size of house: /],
  [{ quality: 'superb' }, /^PRESETS_FILE: default quality of house: must be one of /],
  [{ model: 'nope' }, /^PRESETS_FILE: default model of house: not in the catalogue/],
  [{ model: 'dall-e-3' }, /^PRESETS_FILE: default model of house: retired; its successor is /],
])('a preset whose defaults no request can use is a fault: %j', (defaults, fault) => {
  expect(faultsOf(defaults)).toEqual([expect.stringMatching(fault)]);
});

it('defaults that the model of the preset takes are no fault', () => {
  expect(faultsOf({ model: 'gpt-image-2.6-flare', size: '1536x1024', quality: 'max' })).toEqual([]);
});
