import { z } from 'zod';
import type { TokenUsage } from '../../../../domain/cost.ts';
import { TokenCount } from '../client/token-count.ts';
import { imageLinks, stepsOf } from './json-path.ts';
import { ResponseFault } from './response-fault.ts';
import { imageMark } from './response-scanner.ts';

/** Reads a response without its image, in the shape of the Images API or of the Responses API. */

const OptionalCount = TokenCount.optional().catch(undefined);

const Usage = z.object({
  input_tokens: TokenCount,
  output_tokens: TokenCount,
  total_tokens: OptionalCount,
  input_tokens_details: z
    .object({ text_tokens: OptionalCount, image_tokens: OptionalCount, cached_tokens: OptionalCount })
    .optional()
    .catch(undefined),
  output_tokens_details: z
    .object({ text_tokens: OptionalCount, image_tokens: OptionalCount })
    .optional()
    .catch(undefined),
  cached_tokens_details: z
    .object({ cached_text_tokens: OptionalCount, cached_image_tokens: OptionalCount })
    .optional()
    .catch(undefined),
});

const OptionalText = z.string().nullish().catch(null);
const listOf = <const Item extends z.ZodType>(item: Item) =>
  z.array(item.nullable().catch(null)).nullish().catch(null);

const Envelope = z.looseObject({
  /** Images API. */
  data: listOf(z.looseObject({ b64_json: OptionalText, url: OptionalText, revised_prompt: OptionalText })),
  /** Responses API. */
  output: listOf(
    z.looseObject({
      type: OptionalText,
      result: OptionalText,
      revised_prompt: OptionalText,
      svg_usage: z.unknown().optional(),
      content: listOf(z.looseObject({ text: OptionalText, refusal: OptionalText })),
    }),
  ),
  model: OptionalText,
  error: z.unknown().optional(),
  errors: z.unknown().optional(),
  usage: z.unknown().optional(),
  /** Usage of the text model that wrote a drawing. */
  svg_usage: z.looseObject({ model: OptionalText }).nullish().catch(null),
  tool_usage: z.looseObject({ image_gen: z.unknown().optional() }).nullish().catch(null),
});
export type Envelope = z.infer<typeof Envelope> & { readonly raw?: unknown };

const isResponse = (envelope: Envelope) => !envelope.data && !!envelope.output;

/**
 * Parses a response whose image was removed.
 *
 * @param hasImage whether the image is complete. Then a fault in the rest costs only the rest: the image is paid.
 * @throws ResponseFault
 */
export function readEnvelope(text: string, hasImage = false): Envelope {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (hasImage) return envelopeOf({ data: [{ b64_json: imageMark.taken }] });
    throw new ResponseFault('it is not valid JSON');
  }
  return envelopeOf(value);
}

/** Returns the known members of a response. */
export const envelopeOf = (value: unknown): Envelope => ({ ...Envelope.parse(value), raw: value });

/** Returns the entry that held the image, otherwise an entry whose text is none. */
export function imageEntry(envelope: Envelope): { revisedPrompt: string | null } | null {
  return entryWith(envelope, imageMark.taken) ?? entryWith(envelope, imageMark.refused);
}

function entryWith(envelope: Envelope, mark: string): { revisedPrompt: string | null } | null {
  const isLink = (link: unknown) => typeof link === 'string' && link.toLowerCase() === `data:${mark}`;
  const entry =
    envelope.data?.find((each) => each?.b64_json === mark || isLink(each?.url)) ??
    envelope.output?.find((each) => each?.type === 'image_generation_call' && each.result === mark);
  if (entry) return { revisedPrompt: entry.revised_prompt || null };
  return imageLinks.some((path) => valuesAt(envelope.raw, path).some(isLink))
    ? { revisedPrompt: null }
    : null;
}

/** Returns the values at a path such as `data[].url`. */
function valuesAt(value: unknown, path: string): unknown[] {
  return stepsOf(path).reduce<unknown[]>(
    (values, step) =>
      step === '[]'
        ? values.flatMap((each) => (Array.isArray(each) ? each : []))
        : values.map((each) => (typeof each === 'object' && each ? Reflect.get(each, step) : null)),
    [value],
  );
}

/**
 * Returns the usage of the image, or `null` if the response does not report it. In a response of the Responses API, `usage`
 * belongs to the host model, and `tool_usage.image_gen` to the image. An image without output tokens was not counted: OpenAI
 * and gateways then report zeros, but no image is free. A response without an image may have cost its input only.
 */
export function usageOfImage(envelope: Envelope): TokenUsage | null {
  const hasTool = isResponse(envelope);
  const usage = usageOf(hasTool ? envelope.tool_usage?.image_gen : envelope.usage);
  if (!usage) return null;
  const input = hasTool || imageEntry(envelope) ? 0 : usage.input_tokens;
  return usage.output_tokens + input > 0 ? usage : null;
}

/**
 * Returns the text model that a response names, and its usage: the host model of the Responses API, or the model that wrote
 * a drawing. If a response has both, the usage is `null`, because their prices may differ.
 */
export function hostModelOf(envelope: Envelope): { model: string; usage: TokenUsage | null } | undefined {
  const { svg_usage: drawing } = envelope;
  if (!isResponse(envelope)) {
    return drawing ? { model: drawing.model ?? '', usage: usageOf(drawing) } : undefined;
  }
  const hasDrawing = envelope.output?.some((item) => item?.svg_usage) ?? false;
  return { model: envelope.model ?? '', usage: hasDrawing ? null : usageOf(envelope.usage) };
}

/** Returns the text that a language model wrote instead of an image. */
export function saidInstead(envelope: Envelope): string | null {
  const parts = envelope.output?.flatMap((item) => item?.content ?? []) ?? [];
  const text = parts
    .map((part) => part?.refusal ?? part?.text ?? '')
    .join(' ')
    .trim();
  return text === '' ? null : text;
}

function usageOf(value: unknown): TokenUsage | null {
  const parsed = Usage.safeParse(value);
  if (!parsed.success) return null;
  const usage = parsed.data;
  const total_tokens = usage.total_tokens ?? usage.input_tokens + usage.output_tokens;
  // Copied through JSON, because strict readers treat `undefined` differently from an absent member.
  return JSON.parse(JSON.stringify({ ...usage, total_tokens })) as TokenUsage;
}
