import type { AttemptKind } from '../../domain/attempt.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import type { ImageRequest } from '../../domain/image-request.ts';

/** Fields that go to the provider under their own names. Darkroom itself uses all other fields of a request. */
const passedOn = [
  'size',
  'quality',
  'complexity',
  'background',
  'moderation',
  'output_format',
  'output_compression',
  'frame_count',
  'frame_duration_ms',
  'svg',
  'input_fidelity',
  'partial_images',
] as const satisfies readonly (keyof ImageRequest)[];

/**
 * Returns the parameters of one image: the provider's names and values, and the caller's `provider_options`. The
 * caller's id of the end user is replaced by the safety identifier.
 */
export function imageParameters(
  request: ImageRequest | undefined,
  safetyIdentifier?: string,
): Record<string, unknown> {
  const { user: _user, ...options } = request?.provider_options ?? {};
  const parameters: Record<string, unknown> = options;
  for (const field of passedOn) {
    if (request?.[field] !== undefined) parameters[field] = request[field];
  }
  if (safetyIdentifier !== undefined) parameters.safety_identifier = safetyIdentifier;
  return parameters;
}

/** Returns the kind of a job's calls for images. A job with inputs is an edit. */
export function imageCallKindOf({ inputs }: Pick<ImageJob, 'inputs'>): AttemptKind {
  return inputs?.length ? 'edit' : 'generate';
}
