import type { Model, OwnKey, Preset } from '../../api/types.ts';
import type { Form } from './form.ts';
import { type Catalogue, findModel } from './reuse.ts';

type Rules = Pick<OwnKey, 'models' | 'presets_only'>;

/** Returns the models that the service offers and a key may use. A key names them by id or by alias. */
export function usableModels(models: readonly Model[], { models: allowed }: Rules): Model[] {
  return models.filter(
    ({ id, aliases, status }) =>
      status !== 'retired' && (!allowed || [id, ...aliases].some((name) => allowed.includes(name))),
  );
}

/**
 * Returns the form with a model and a preset that the key may use, because the defaults of the service may be others.
 *
 * @param catalogue has the usable models only.
 */
export function fitToKey(form: Form, rules: Rules, { models, presets }: Catalogue): Form {
  const preset = form.preset || (rules.presets_only ? firstPreset(presets) : '');
  const ofPreset = presets.find(({ name }) => name === preset)?.defaults.model;
  const model = form.model || (rules.models && (findModel(models, ofPreset) ?? models[0])?.id) || '';
  return { ...form, preset, model };
}

/** Returns the name of the first preset, if possible of one that needs no input image. */
function firstPreset(presets: readonly Preset[]): string {
  return (presets.find((preset) => preset.requires_images === 0) ?? presets[0])?.name ?? '';
}
