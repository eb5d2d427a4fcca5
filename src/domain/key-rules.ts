import type { KeyPolicy } from './access-policy.ts';
import { AppError } from './errors.ts';
import type { ImageRequest } from './image-request.ts';
import type { ModelCatalogue } from './model-catalogue.ts';

/**
 * Checks a request against the models and presets that its key allows. An alias of an allowed model is allowed too.
 *
 * @throws AppError `model_not_allowed`, `preset_required`
 */
export function checkKeyRules(
  { models, presetsOnly }: KeyPolicy,
  request: Pick<ImageRequest, 'model' | 'preset'>,
  catalogue: Pick<ModelCatalogue, 'find'>,
): void {
  const idOf = (name: string) => catalogue.find(name)?.id ?? name;
  if (models && !models.some((name) => idOf(name) === idOf(request.model))) {
    const detail = `This API key allows ${models.join(', ')}.`;
    throw new AppError('model_not_allowed', { detail, issues: [{ pointer: '/model', detail }] });
  }
  checkPresetRule({ presetsOnly }, request);
}

/** Checks that a request names a preset if its key requires one. @throws AppError `preset_required` */
export function checkPresetRule(
  { presetsOnly }: Pick<KeyPolicy, 'presetsOnly'>,
  { preset }: Pick<ImageRequest, 'preset'>,
): void {
  if (!presetsOnly || preset !== undefined) return;
  const detail = 'This API key requires a preset. GET /presets lists them.';
  throw new AppError('preset_required', { detail, issues: [{ pointer: '/preset', detail }] });
}
