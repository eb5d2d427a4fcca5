import { z } from 'zod';
import type { TokenUsage } from './cost.ts';
import type { JobInput } from './input-image.ts';

/** Token counts of a job, over all of its images. */
export const TokenTotals = z.object({
  input_tokens: z.int(),
  output_tokens: z.int(),
  total_tokens: z.int(),
});
export type TokenTotals = z.infer<typeof TokenTotals>;

/** Tokens of a job as stored. */
export interface StoredTokens extends TokenTotals {
  /** Tokens of the input images. Absent if the job has none, or if one response did not report them. */
  readonly input_image_tokens?: number;
}

/** Returns the tokens of a job with those of one more response. Nothing if the response reported none. */
export function addTokens(
  job: { readonly usage?: StoredTokens; readonly inputs?: readonly JobInput[] },
  usage: TokenUsage | null | undefined,
): { readonly usage?: StoredTokens } {
  if (!usage) return {};
  const { usage: before, inputs } = job;
  const total = (key: keyof TokenTotals) => (before?.[key] ?? 0) + usage[key];
  const earlier = before ? before.input_image_tokens : 0;
  const more = inputs?.length ? usage.input_tokens_details?.image_tokens : undefined;
  return {
    usage: {
      input_tokens: total('input_tokens'),
      output_tokens: total('output_tokens'),
      total_tokens: total('total_tokens'),
      ...(earlier === undefined || more === undefined ? {} : { input_image_tokens: earlier + more }),
    },
  };
}
