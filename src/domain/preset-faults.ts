import { AppError } from './errors.ts';
import type { ImageRequest } from './image-request.ts';
import type { ModelCatalogue } from './model-catalogue.ts';
import { checkAgainstCatalogue } from './model-rules.ts';
import type { Preset } from './preset.ts';

/**
 * Returns a fault for every preset whose defaults no request can use, because its callers would have to correct a field
 * that the request does not have.
 *
 * @param options.defaultModel model of a preset that names none.
 */
export function presetFaults(
  presets: readonly Preset[],
  catalogue: ModelCatalogue,
  options: { defaultModel: string; allowUnknownModels: boolean; nowMs: number },
): string[] {
  return presets.flatMap(({ name, defaults }) => {
    const request = { prompt: '', n: 1, size: 'auto', model: options.defaultModel, ...defaults };
    try {
      checkAgainstCatalogue(request as ImageRequest, catalogue, options);
      return [];
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return error.issues.map(
        ({ pointer, detail }) => `PRESETS_FILE: default ${pointer.slice(1)} of ${name}: ${detail}`,
      );
    }
  });
}
