import { describe, expect, it } from 'vitest';
import { outcomes, runAgainst } from '../support/provider-outcomes.ts';

/** Rate limits of OpenAI whose message states the limit and the share of the request. */

const rateLimit = (message: string, code: string | null = 'rate_limit_exceeded') => ({
  error: { message, type: 'tokens', param: null, code },
});
const account = 'gpt-image-2 in organization org-AbCdEfGhIjKlMnOpQrStUvWx';
const advice = 'The input or output tokens must be reduced in order to run successfully.';

describe('a rate limit with amounts', () => {
  it.each([
    rateLimit(
      `Request too large for ${account} on tokens per min (TPM): Limit 30000, Requested 342389. ${advice}`,
    ),
    rateLimit(`Rate limit reached for ${account} on input-images per min: Limit 5, Used 0, Requested 16.`),
    rateLimit(`Rate limit reached: Limit 30,000, Used 0, Requested 40,000. Please try again in 20s.`, null),
  ])(
    'fails the job after one call, and blocks no other job, if the request exceeds the whole limit: %j',
    async (body) => {
      const { made, summary } = await runAgainst(429, body);
      expect(summary).toEqual(outcomes.rejected);
      expect(made.blocked.size).toBe(0);
      expect(made.job().errors?.[0]?.message).toMatch(/Limit/);
      expect(made.job().errors?.[0]?.message).not.toContain('org-');
    },
  );

  it.each([
    rateLimit(`Rate limit reached for ${account} on input-images per min: Limit 5, Used 5, Requested 1.`),
    rateLimit(
      `Rate limit reached for ${account} on tokens per min (TPM): Limit 10000, Used 6701, Requested 4497.`,
    ),
    rateLimit(`Rate limit reached for ${account} on tokens per min (TPM): Limit 100, Used 1, Requested 100.`),
  ])('repeats the call later if the request fits into the limit: %j', async (body) => {
    const { summary } = await runAgainst(429, body);
    expect(summary).toEqual(outcomes.limited);
  });
});
