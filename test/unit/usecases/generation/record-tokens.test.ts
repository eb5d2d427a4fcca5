import { expect, it } from 'vitest';
import { createEstimate } from '../../../../src/domain/estimate.ts';
import { beginRun } from '../../../../src/domain/job-moves.ts';
import type { Spent } from '../../../../src/domain/ports.ts';
import type { TokenSample, TokenSamples } from '../../../../src/domain/token-samples.ts';
import { createRecordTokens } from '../../../../src/usecases/generation/record-tokens.ts';
import { builtInCatalogue } from '../../../support/catalogue.ts';
import { createdAt, idleMeter, queuedJob } from '../../../support/jobs.ts';

const catalogue = builtInCatalogue();
const job = beginRun(queuedJob({ request: { quality: 'low' } }), createdAt);
const usageOf = (input_tokens: number, output_tokens: number) => ({
  ...{ input_tokens, output_tokens },
  total_tokens: input_tokens + output_tokens,
});
const usual = usageOf(18, 196);

/** Returns the upper bound of the estimate after an image for which a provider reported this usage. */
function highAfter(spent: Spent): number | undefined {
  const all = new Map<string, TokenSamples>();
  const record = (kind: string, sample: TokenSample) => void all.set(kind, { median: sample, max: sample });
  const estimate = createEstimate({
    catalogue,
    enhanceModel: 'gpt-5.4-mini',
    findSamples: (kind) => all.get(kind),
  });
  createRecordTokens({ catalogue, estimate, samples: { record }, meter: idleMeter })(job, spent);
  return job.request && estimate(job.request)?.high;
}

const hostModel = { model: 'gpt-5.4-mini', usage: usageOf(5_000_000, 9) };

it.each<[string, Spent]>([
  ['output tokens', { usage: usageOf(18, 5_000_000) }],
  ['input tokens', { usage: usageOf(5_000_000, 196) }],
  ['tokens of the host model', { usage: usual, hostModel }],
])('a report of more %s than any image has raises no later estimate', (_name, spent) => {
  expect(highAfter(spent)).toBe(highAfter({ usage: null }));
});

it('a report of more tokens than expected raises later estimates', () => {
  expect(highAfter({ usage: usageOf(18, 4 * 196) })).toBeGreaterThan(highAfter({ usage: null }) ?? 0);
});
