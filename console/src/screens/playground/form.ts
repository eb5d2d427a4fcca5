import type { Image, Model, Preset } from '../../api/types.ts';
import { parseUsd } from '../../format/parse-usd.ts';

/** An input image of an edit, or its mask. */
export interface FormInput {
  /** Name within the form. */
  readonly key: string;
  readonly name: string;
  /** Address of the image for the page; null if only the service can read it. */
  readonly previewUrl: string | null;
  /** Input of the request; null while the file is being uploaded. */
  readonly source:
    | { readonly upload_id: string }
    | { readonly url: string }
    | { readonly image_id: string; readonly index: number }
    | null;
}

/** The values of the form. Empty texts are left to the service. */
export interface Form {
  readonly prompt: string;
  readonly preset: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly model: string;
  /** A size, or `custom` for the two edges. */
  readonly size: string;
  readonly width: string;
  readonly height: string;
  readonly quality: string;
  readonly n: number;
  readonly previews: number;
  readonly enhance: string;
  readonly outputFormat: string;
  readonly background: string;
  readonly moderation: string;
  readonly inputFidelity: string;
  /** Maximum cost in US dollars, as typed. */
  readonly maxCost: string;
  readonly webhook: string;
  /** One `name=value` for each line. */
  readonly metadata: string;
  readonly inputs: readonly FormInput[];
  readonly mask: FormInput | null;
}

export const emptyForm: Form = {
  prompt: '',
  preset: '',
  variables: {},
  model: '',
  size: '',
  width: '1024',
  height: '1024',
  quality: '',
  n: 1,
  previews: 0,
  enhance: '',
  outputFormat: '',
  background: '',
  moderation: '',
  inputFidelity: '',
  maxCost: '',
  webhook: '',
  metadata: '',
  inputs: [],
  mask: null,
};

/** Returns the body of `POST /images`. Fields without a value are absent, so that the defaults of the service apply. */
export function requestOf(form: Form): Record<string, unknown> {
  const variables = Object.fromEntries(
    Object.entries(form.variables).filter(([, value]) => value.trim() !== ''),
  );
  const hasVariables = Object.keys(variables).length > 0;
  const metadata = metadataOf(form.metadata);
  const fields = {
    prompt: form.prompt,
    preset: hasVariables ? { name: form.preset, variables } : form.preset,
    model: form.model,
    size: form.size === 'custom' ? `${form.width.trim()}x${form.height.trim()}` : form.size,
    quality: form.quality,
    n: form.n === 1 ? '' : form.n,
    partial_images: form.previews === 0 ? '' : form.previews,
    enhance: form.enhance,
    output_format: form.outputFormat,
    background: form.background,
    moderation: form.moderation,
    input_fidelity: form.inputs.length > 0 ? form.inputFidelity : '',
    max_cost_micro_usd: parseUsd(form.maxCost) ?? '',
    webhook: form.webhook.trim() === '' ? '' : { url: form.webhook.trim() },
    metadata: Object.keys(metadata).length > 0 ? metadata : '',
    images: form.inputs.length > 0 ? form.inputs.map(({ source }) => source) : '',
    mask: form.mask?.source ?? '',
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
}

/** Returns a form that edits an image of a job. */
export function withImage(form: Form, jobId: string, { index, url }: Image): Form {
  const input = {
    key: `${jobId}/${index}`,
    name: `${jobId} ${index + 1}`,
    previewUrl: url,
    source: { image_id: jobId, index },
  };
  return { ...form, inputs: [input], mask: null };
}

/** Returns the pairs of a text with one `name=value` for each line. */
export function metadataOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at > 0 ? [[line.slice(0, at).trim(), line.slice(at + 1).trim()] as [string, string]] : [];
    }),
  );
}

/** A field whose text has no meaning. Without it the request would not be the one that the user typed. */
export type FaultyField = 'maxCost' | 'metadata';

/** Returns the first field whose text has no meaning; null if there is none. */
export function faultOf({ maxCost, metadata }: Form): FaultyField | null {
  if (maxCost.trim() !== '' && parseUsd(maxCost) === null) return 'maxCost';
  const lines = metadata.split('\n').filter((line) => line.trim() !== '');
  const names = lines.map((line) => /^\s*([^\s=][^=]*?)\s*=/.exec(line)?.[1]);
  // JSON objects have each name once, and none with this meaning in JavaScript.
  const isUsable = names.every((name, i) => name && name !== '__proto__' && names.indexOf(name) === i);
  return isUsable ? null : 'metadata';
}

/** Returns whether the form has a prompt, every file has been uploaded, and every text has a meaning. */
export function isComplete(form: Form): boolean {
  return (
    form.prompt.trim() !== '' &&
    form.inputs.every(({ source }) => source !== null) &&
    (form.mask === null || form.mask.source !== null) &&
    faultOf(form) === null
  );
}

/** A form after a change, with the names of the fields whose values the model does not allow. */
export interface Adjusted {
  readonly form: Form;
  readonly reset: readonly string[];
}

/** Keeps the values that a model allows, and resets the others. */
export function fitToModel(form: Form, model: Model): Adjusted {
  const reset: string[] = [];
  const allow = (value: string, allowed: readonly string[], name: string): string => {
    if (value === '' || allowed.includes(value)) return value;
    reset.push(name);
    return '';
  };
  const atMost = (value: number, max: number, name: string): number => {
    if (value <= max) return value;
    reset.push(name);
    return max;
  };
  const isFreeSize = form.size === 'custom' && model.free_sizes !== null;
  const fitted: Form = {
    ...form,
    size: isFreeSize ? 'custom' : allow(form.size, model.sizes, 'size'),
    quality: allow(form.quality, model.qualities, 'quality'),
    outputFormat: allow(form.outputFormat, formatsOf(model), 'output_format'),
    background: allow(form.background, model.backgrounds, 'background'),
    moderation: allow(form.moderation, model.moderations, 'moderation'),
    inputFidelity: allow(form.inputFidelity, model.input_fidelities, 'input_fidelity'),
    n: atMost(form.n, model.max_n, 'n'),
    previews: atMost(form.previews, maxPreviewsOf(model), 'partial_images'),
  };
  const hasMask = form.mask !== null && model.edits?.mask === false;
  if (hasMask) reset.push('mask');
  return { form: hasMask ? { ...fitted, mask: null } : fitted, reset };
}

/** Returns the formats that the form offers. Animations and drawings have parameters of their own, which the form lacks. */
export function formatsOf(model: Model): string[] {
  return model.output_formats.filter((format) => format !== 'gif' && format !== 'svg');
}

export const maxPreviewsOf = (model: Model | undefined) => model?.partial_images?.max ?? 0;

/** Returns the form with another preset. The values of its variables begin empty, which means their defaults. */
export function choosePreset(form: Form, preset: Preset | undefined): Form {
  return { ...form, preset: preset?.name ?? '', variables: {} };
}

/** Rule of the model that a custom size breaks, with the values that it allows. */
export type SizeFault =
  | { readonly kind: 'number' }
  | { readonly kind: 'multiple'; readonly of: number; readonly below: number; readonly above: number }
  | { readonly kind: 'edge'; readonly max: number }
  | { readonly kind: 'ratio'; readonly max: number }
  | { readonly kind: 'pixels'; readonly min: number; readonly max: number };

/** Returns the fault of a custom size; null if the model allows it. */
export function customSizeFault({ width, height }: Form, model: Model | undefined): SizeFault | null {
  const free = model?.free_sizes;
  if (!free) return null;
  const edges = [width, height].map((text) => (/^\s*\d{1,5}\s*$/.test(text) ? Number(text) : Number.NaN));
  const [w = Number.NaN, h = Number.NaN] = edges;
  if (!(w > 0 && h > 0)) return { kind: 'number' };
  const odd = edges.find((edge) => edge % free.multiple_of !== 0);
  if (odd !== undefined) {
    const below = Math.floor(odd / free.multiple_of) * free.multiple_of;
    return { kind: 'multiple', of: free.multiple_of, below, above: below + free.multiple_of };
  }
  if (Math.max(w, h) > free.max_edge) return { kind: 'edge', max: free.max_edge };
  if (Math.max(w, h) / Math.min(w, h) > free.max_ratio) return { kind: 'ratio', max: free.max_ratio };
  if (w * h < free.min_pixels || w * h > free.max_pixels) {
    return { kind: 'pixels', min: free.min_pixels, max: free.max_pixels };
  }
  return null;
}
