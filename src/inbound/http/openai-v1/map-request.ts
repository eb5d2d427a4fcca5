import type { ImageRequestBody } from '../../../domain/image-request.ts';
import type { EditFields } from './edit-body.ts';
import type { ModelMap } from './model-map.ts';

/** Requested form of the response. */
export interface ResponseForm {
  readonly format: 'b64_json' | 'url';
  readonly stream: boolean;
}

/** Request of an OpenAI client, mapped to the native API. */
export interface MappedRequest {
  readonly body: ImageRequestBody;
  readonly form: ResponseForm;
  /** Model name that the caller sent. Undefined if the request has none. */
  readonly requestedModel: string | undefined;
  /** Changed and ignored fields, one sentence each. */
  readonly warnings: readonly string[];
}

/** Sizes of earlier model families, with the size of the same shape that current models accept. */
const legacySizes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '256x256': '1024x1024',
    '512x512': '1024x1024',
    '1792x1024': '1536x1024',
    '1024x1792': '1024x1536',
  }),
);
const legacyQualities: ReadonlyMap<string, string> = new Map(
  Object.entries({ standard: 'auto', hd: 'high' }),
);

/**
 * Maps the body of an OpenAI client to the body of `POST /images`. Replaces legacy fields and values, and reports every
 * replacement in `warnings`.
 *
 * @throws AppError `model_unknown` if a model map exists and does not know the name
 */
export function mapRequest(body: EditFields, models: ModelMap): MappedRequest {
  const {
    response_format,
    stream,
    style,
    user,
    size,
    quality,
    model,
    partial_images,
    input_fidelity,
    ...same
  } = body;
  const warnings: string[] = [];
  const replaced = (field: string, value: string | undefined, table: ReadonlyMap<string, string>) => {
    const replacement = value === undefined ? undefined : table.get(value);
    if (replacement === undefined) return value;
    warnings.push(`${field} ${value} was replaced by ${replacement}.`);
    return replacement;
  };
  if (style !== undefined) warnings.push('style has no effect on current models and was ignored.');
  const safetyIdentifier = same.safety_identifier ?? user;
  if (user !== undefined) {
    warnings.push(
      same.safety_identifier === undefined
        ? 'user was passed on as safety_identifier.'
        : 'user was ignored, because safety_identifier is set.',
    );
  }
  const isUseless = partial_images !== undefined && partial_images > 0 && !stream;
  if (isUseless) warnings.push('partial_images was ignored, because only a stream can send them.');
  const mapped = model === undefined ? undefined : models.resolve(model);
  if (mapped !== model) warnings.push(`model ${model} was replaced by ${mapped ?? 'the default model'}.`);
  const isForOther = mapped !== model && !takesFidelity(models, mapped, input_fidelity);
  if (isForOther)
    warnings.push('input_fidelity was ignored, because the model that is used does not take it.');
  const fields = {
    ...same,
    input_fidelity: isForOther ? undefined : input_fidelity,
    model: mapped,
    size: replaced('size', size, legacySizes),
    quality: replaced('quality', quality, legacyQualities),
    partial_images: isUseless ? undefined : partial_images,
    safety_identifier: safetyIdentifier,
  };
  return {
    body: Object.fromEntries(
      Object.entries(fields).filter(([, value]) => value !== undefined),
    ) as unknown as ImageRequestBody,
    form: { format: response_format ?? 'b64_json', stream: stream ?? false },
    requestedModel: model,
    warnings,
  };
}

/**
 * Returns whether a model takes an `input_fidelity`, if there is one. Clients send the field for a model that is retired.
 * Its successors read every input with high fidelity.
 */
const takesFidelity = (models: ModelMap, model: string | undefined, value: string | undefined) =>
  value === undefined || models.takesFidelity(model, value);
