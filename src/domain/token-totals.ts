import { z } from 'zod';

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
