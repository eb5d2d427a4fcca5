import { type GenerationRequest, oneOf, readGenerationRequest } from '../generation-request.ts';
import { invalid } from '../refusals.ts';
import type { EditInputs } from './decode-inputs.ts';
import { sizeLike } from './edit-size.ts';
import { inputTokens } from './input-tokens.ts';

type Body = Readonly<Record<string, unknown>>;

/** Models that accept `input_fidelity`, with the values of each. Others process every input with high fidelity. */
const FIDELITIES: readonly (readonly [model: RegExp, values: readonly string[]])[] = [
  [/^(gpt-image-1\.5|chatgpt-image-latest)/, ['high', 'low']],
  [/^gpt-image-1-mini/, ['low']],
];

const INTEGERS = ['n', 'output_compression', 'partial_images', 'frame_count', 'frame_duration_ms'];

/**
 * Reads the fields of an edit.
 * @throws StudioRefusal 400 naming the parameter, or 404 for a model that was shut down.
 */
export function asEdit(body: Body, inputs: EditInputs): GenerationRequest {
  const { input_fidelity: fidelity = null, ...rest } = body;
  if (fidelity !== null) checkFidelity(body);
  const request = readGenerationRequest(rest, undefined, { isEdit: true });
  if (inputs.mask !== null && request.format === 'gif') {
    throw invalid('mask', 'invalid_value', "'mask' cannot be combined with output_format gif.");
  }
  const isAuto = (rest.size ?? 'auto') === 'auto';
  return {
    ...request,
    ...(isAuto ? sizeLike(inputs.images[0], request.family) : {}),
    inputs,
    inputTokens: inputs.images.reduce((sum, input) => sum + inputTokens(input), 0),
  };
}

function checkFidelity(body: Body): void {
  const model = String(body.model ?? '');
  const allowed = FIDELITIES.find(([pattern]) => pattern.test(model))?.[1];
  if (allowed === undefined) {
    const message = `The model '${model}' does not support input_fidelity.`;
    throw invalid('input_fidelity', 'invalid_input_fidelity_model', message);
  }
  oneOf(body, 'input_fidelity', allowed);
}

/**
 * Converts the texts of a form to the types of a JSON body. Texts that do not fit remain and are refused later. Members of
 * `svg` are fields such as `svg[reasoning][effort]`.
 */
export function typedFields(fields: Readonly<Record<string, string>>): Body {
  const flat = Object.entries(fields).filter(([name]) => !name.startsWith('svg['));
  return { ...svgOf(fields), ...typedTexts(flat) };
}

function svgOf(fields: Readonly<Record<string, string>>): Body {
  const svg: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    const [, member, inner] = /^svg\[(\w{1,40})\](?:\[(\w{1,40})\])?$/.exec(name) ?? [];
    if (member !== undefined) svg[member] = inner === undefined ? value : { [inner]: value };
  }
  return Object.keys(svg).length > 0 ? { svg } : {};
}

function typedTexts(texts: readonly (readonly [name: string, value: string])[]): Body {
  return Object.fromEntries(
    texts.map(([name, value]) => {
      if (INTEGERS.includes(name) && /^-?\d{1,9}$/.test(value)) return [name, Number(value)];
      if (name === 'stream' && /^(true|false)$/.test(value)) return [name, value === 'true'];
      return [name, value];
    }),
  );
}
