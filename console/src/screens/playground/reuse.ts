import type { ImageJob, Model, Preset } from '../../api/types.ts';
import { emptyForm, type Form, type FormInput, fitToModel } from './form.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The catalogue that the form offers. */
export interface Catalogue {
  readonly models: readonly Model[];
  readonly presets: readonly Preset[];
}

/** A form, and the names of the values of a job that it cannot have. */
export interface Reused {
  readonly form: Form;
  readonly missing: readonly string[];
}

/** Returns the model of a name that the form offers. */
export const findModel = (models: readonly Model[], name: unknown): Model | undefined =>
  models.find(({ id, aliases, status }) => status !== 'retired' && [id, ...aliases].includes(String(name)));

/** Returns the form with the request of a job, as far as the form has fields for it. Its inputs are added later. */
export function formOf(request: ImageJob['request'], { models, presets }: Catalogue): Form {
  const model = findModel(models, request.model);
  const selection = selectionOf(request.preset);
  const preset = presets.find(({ name }) => name === selection.name);
  const { max_cost_micro_usd: maxCost, metadata = {} } = request;
  const form: Form = {
    ...emptyForm,
    prompt: request.prompt,
    preset: preset?.name ?? '',
    variables: preset ? selection.variables : {},
    n: Math.max(1, request.n),
    // A preset may have another mode, so that its mode is named.
    enhance: request.enhance === 'off' && !preset ? '' : request.enhance,
    maxCost: maxCost === undefined ? '' : String(maxCost / 1_000_000),
    webhook: request.webhook?.url ?? '',
    metadata: Object.entries(metadata)
      .map((pair) => pair.join('='))
      .join('\n'),
  };
  return model ? fitToModel({ ...form, ...choicesOf(request, model) }, model).form : form;
}

/** Returns the values whose rules a model has. */
function choicesOf(request: ImageJob['request'], model: Model): Partial<Form> {
  return {
    ...sizeOf(request.size, model),
    model: model.id,
    quality: request.quality ?? '',
    previews: request.partial_images ?? 0,
    outputFormat: request.output_format ?? '',
    background: request.background ?? '',
    moderation: request.moderation ?? '',
    inputFidelity: request.input_fidelity ?? '',
  };
}

function sizeOf(size: string, model: Model): Pick<Form, 'size' | 'width' | 'height'> {
  const [width = '', height = ''] = size.split('x');
  const { width: usualWidth, height: usualHeight } = emptyForm;
  if (height === '') return { size: '', width: usualWidth, height: usualHeight };
  const isCustom = model.free_sizes && !model.sizes.includes(size);
  return { size: isCustom ? 'custom' : size, width, height };
}

/** An input of a job that the form can have again. */
export interface FoundInput extends Omit<FormInput, 'key'> {
  readonly source: NonNullable<FormInput['source']>;
}

/**
 * Adds the inputs of a job to a form.
 *
 * @param found an input for each input of the job, in the same order; null if it is not available any more.
 */
export function withInputs(
  form: Form,
  inputs: readonly Pick<ImageJob['inputs'][number], 'role'>[],
  found: readonly (FoundInput | null)[],
): Reused {
  const images: FormInput[] = [];
  const missing: string[] = [];
  let mask: FormInput | null = null;
  let no = 0;
  for (const [i, { role }] of inputs.entries()) {
    const each = found[i];
    const input = each ? { key: `${i} ${each.name}`, ...each } : null;
    const name = role === 'image' ? `images[${no++}]` : role;
    if (role === 'image' && input) images.push(input);
    // A mask belongs to the first image.
    else if (role === 'mask' && input && !missing.includes('images[0]')) mask = input;
    else missing.push(name);
  }
  return { form: { ...form, inputs: images, mask }, missing };
}

/**
 * Returns the names of the values that differ between two requests.
 *
 * @param wanted the request of the job, with every default.
 * @param made the request of the form, as a dry run returns it.
 */
export function differencesOf(wanted: Fields, made: Fields, models: readonly Model[]): string[] {
  const normal = (request: Fields): Fields => ({
    ...defaults,
    ...request,
    model: findModel(models, request.model)?.id ?? request.model,
    preset: selectionOf(request.preset as ImageJob['request']['preset']),
  });
  return differences(normal(wanted), normal(made), '').filter((name) => !['images', 'mask'].includes(name));
}

/** Defaults that a request without them has. */
const defaults: Fields = {
  n: 1,
  size: 'auto',
  enhance: 'off',
  priority: 'normal',
  partial_images: 0,
  metadata: {},
};

function selectionOf(preset: ImageJob['request']['preset']) {
  const selection = typeof preset === 'string' ? { name: preset } : preset;
  return { name: selection?.name ?? '', variables: selection?.variables ?? {} };
}

function differences(wanted: Fields, made: Fields, prefix: string): string[] {
  const names = new Set([...Object.keys(wanted), ...Object.keys(made)]);
  return [...names].flatMap((name) => {
    const [before, after] = [wanted[name], made[name]];
    if (isObject(before) && isObject(after)) return differences(before, after, `${prefix}${name}.`);
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [prefix + name];
  });
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
