import { z } from 'zod';
import { ImageRequestBody } from '../../../domain/image-request.ts';

/**
 * Body of `POST /v1/images/generations`: every field of the official SDKs, including those of retired models. The schema
 * checks types. The catalogue checks values that depend on the model after the request was mapped.
 */

const native = ImageRequestBody.shape;
const text = (max: number) => z.string().min(1).max(max);

/** Forms in which the response contains images. */
export const responseFormats = ['url', 'b64_json'] as const;

export const GenerationBody = z.strictObject({
  prompt: z.string().min(1).describe('Description of the image, 1 to 32,000 code points.'),
  model: text(128)
    .optional()
    .describe('Catalogue name or alias. `V1_MODEL_MAP` of the deployment may map other names.'),
  n: z.int().min(1).max(10).optional().describe('Number of images. Default 1.'),
  size: text(32).optional().describe('`auto` or WIDTHxHEIGHT. Legacy sizes are mapped to the nearest one.'),
  quality: text(64).optional().describe('`standard` is mapped to `auto`, `hd` to `high`.'),
  complexity: native.complexity,
  background: native.background,
  moderation: native.moderation,
  output_format: native.output_format,
  output_compression: native.output_compression,
  frame_count: native.frame_count,
  frame_duration_ms: native.frame_duration_ms,
  svg: native.svg,
  partial_images: z
    .int()
    .min(0)
    .max(3)
    .optional()
    .describe('Number of previews in a stream. Without `stream` there are none.'),
  stream: z.boolean().optional().describe('Send server-sent events.'),
  response_format: z.enum(responseFormats).optional(),
  safety_identifier: native.safety_identifier,
  user: text(256).optional().describe('Legacy name of `safety_identifier`.'),
  style: text(64).optional().describe('Legacy field without effect.'),
});
export type GenerationBody = z.infer<typeof GenerationBody>;

/**
 * Returns a JSON value without members that are null, because clients send null for omitted fields. An object whose
 * members are all null is omitted too.
 */
export function withoutNulls(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(withoutNulls);
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, member]) => [name, withoutNulls(member), member] as const)
      .filter(([, stripped, member]) => stripped !== null && (!isEmpty(stripped) || isEmpty(member)))
      .map(([name, stripped]) => [name, stripped]),
  );
}

const isEmpty = (value: unknown) =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;
