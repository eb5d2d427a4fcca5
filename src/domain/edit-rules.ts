import type { CatalogueModel } from './catalogue-file.ts';
import { AppError, type FieldIssue } from './errors.ts';
import type { ImageRequest } from './image-request.ts';
import { type InputName, isStoredInput, type JobInput, maxDataCharacters, pointerOf } from './input-image.ts';
import { correctionTo } from './model-catalogue.ts';

/** Returns the issues of the inputs of an edit, and of the fields that only edits have, by the rules of the model. */
export function editIssues(
  request: ImageRequest,
  model: CatalogueModel,
  inputs: readonly InputName[],
): FieldIssue[] {
  const { input_fidelity: fidelity } = request;
  if (inputs.length === 0) {
    const detail = 'is for edits only, and this request has no input images';
    return fidelity === undefined ? [] : [{ pointer: '/input_fidelity', detail }];
  }
  const { edits, input_fidelities: fidelities } = model;
  if (!edits) return [{ pointer: '/images', detail: `${model.id} does not edit images` }];
  const issues: FieldIssue[] = [];
  const count = (role: InputName['role']) => inputs.filter((each) => each.role === role).length;
  if (count('image') > edits.max_images) {
    issues.push({ pointer: '/images', detail: `must hold at most ${edits.max_images} for ${model.id}` });
  }
  for (const role of ['mask', 'markup'] as const) {
    if (count(role) > 0 && !edits[role]) {
      issues.push({ pointer: `/${role}`, detail: correctionTo([], model) });
    }
  }
  if (count('mask') > 0 && request.output_format === 'gif') {
    issues.push({ pointer: '/mask', detail: 'cannot be combined with output_format gif' });
  }
  if (fidelity !== undefined && !fidelities.includes(fidelity)) {
    issues.push({ pointer: '/input_fidelity', detail: correctionTo(fidelities, model) });
  }
  if (request.moderation !== undefined && count('markup') > 0) {
    issues.push({ pointer: '/moderation', detail: 'cannot be combined with markup' });
  }
  return issues;
}

/** Characters of a data URL before its base64, for the longest content type. */
const dataUrlHeadLength = 'data:image/jpeg;base64,'.length;
/** Maximum size of an input of an edit with `moderation`, in bytes. */
export const maxModeratedBytes = Math.floor((maxDataCharacters - dataUrlHeadLength) / 4) * 3;

/**
 * Checks the sizes of the inputs of an edit with `moderation`. The provider takes `moderation` in its JSON form only, whose
 * inputs are data URLs with a maximum length.
 *
 * @throws AppError `input_invalid` with a pointer to every input that is too large.
 */
export function checkModeratedInputs({ moderation }: ImageRequest, inputs: readonly JobInput[]): void {
  if (moderation === undefined) return;
  const issues = inputs
    .filter((input) => isStoredInput(input) && input.sizeBytes > maxModeratedBytes)
    .map((input) => ({
      pointer: pointerOf(input),
      detail: `must have at most ${maxModeratedBytes} bytes if moderation is set`,
    }));
  const [first] = issues;
  if (first) throw new AppError('input_invalid', { detail: `${first.pointer} ${first.detail}.`, issues });
}
