import { z } from 'zod';

/**
 * Maximum number of tokens in a usage report. The dearest image has below 100,000. A larger number is an error of the
 * provider, and counters of money that a budget depends on must not overflow by one.
 */
const maxTokens = 10_000_000;

/** A number of tokens in a usage report. A report with another number counts as absent, so the cost is unknown. */
export const TokenCount = z.int().min(0).max(maxTokens);
