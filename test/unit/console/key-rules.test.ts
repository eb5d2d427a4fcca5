import { describe, expect, it } from 'vitest';
import type { Model, Preset } from '../../../console/src/api/types.ts';
import { emptyForm } from '../../../console/src/screens/playground/form.ts';
import { fitToKey, usableModels } from '../../../console/src/screens/playground/key-rules.ts';

const model = (id: string, changes: Partial<Model> = {}) =>
  ({ id, aliases: [], status: 'active', ...changes }) as unknown as Model;
const preset = (name: string, changes: Partial<Preset> = {}) =>
  ({ name, requires_images: 0, defaults: {}, ...changes }) as Preset;

const models = [model('usual'), model('large', { aliases: ['big'] }), model('old', { status: 'retired' })];
const everything = { models: null, presets_only: false };
const limitedTo = (...names: string[]) => ({ models: names, presets_only: false });
const forPresets = { models: null, presets_only: true };

describe('the rules of a key in the playground', () => {
  it.each([
    ['a key without a limit', everything, ['usual', 'large']],
    ['a key for an id', limitedTo('large'), ['large']],
    ['a key for an alias', limitedTo('big'), ['large']],
    ['a key for a retired model', limitedTo('old'), []],
  ])('%s is offered its models that are not retired', (_, rules, ids) => {
    expect(usableModels(models, rules).map(({ id }) => id)).toEqual(ids);
  });

  it('a key without rules leaves the model and the preset to the service', () => {
    expect(fitToKey(emptyForm, everything, { models, presets: [preset('a')] })).toEqual(emptyForm);
  });

  it('a key for some models begins with the model of the preset, if it may use that, or with its first one', () => {
    const rules = limitedTo('usual', 'large');
    const presets = [
      preset('big', { defaults: { model: 'big' } }),
      preset('other', { defaults: { model: 'm' } }),
    ];
    const fitted = (changes: object) =>
      fitToKey({ ...emptyForm, ...changes }, rules, { models, presets }).model;
    expect(fitted({})).toBe('usual');
    expect(fitted({ preset: 'big' })).toBe('large');
    expect(fitted({ preset: 'other' })).toBe('usual');
    expect(fitted({ preset: 'big', model: 'usual' })).toBe('usual');
  });

  it('a key for presets only begins with a preset that needs no image, and keeps a chosen one', () => {
    const presets = [preset('edit', { requires_images: 1 }), preset('avatar'), preset('artwork')];
    const fitted = (changes: object, offered = presets) =>
      fitToKey({ ...emptyForm, ...changes }, forPresets, { models, presets: offered }).preset;
    expect(fitted({})).toBe('avatar');
    expect(fitted({ preset: 'edit' })).toBe('edit');
    expect(fitted({}, presets.slice(0, 1))).toBe('edit');
    expect(fitted({}, [])).toBe('');
  });
});
