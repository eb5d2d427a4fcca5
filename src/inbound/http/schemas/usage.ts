import { z } from 'zod';
import { LedgerLine } from '../../../domain/ledger.ts';
import type { SchemaGroup } from '../json-schema.ts';

/** Sums of the jobs of a tenant with the same values. Fields of other dimensions than those in `group_by` are absent. */
export const UsageRow = z.object({
  day: z.iso.date().optional().describe('UTC day that accepted the jobs.'),
  model: z.string().nullable().optional(),
  key_id: z.string().nullable().optional(),
  provider: z.string().nullable().optional().describe('Provider of the last call; `null` without a call.'),
  metadata: z
    .record(z.string(), z.string().nullable())
    .optional()
    .describe('Values of the metadata keys in `group_by`. `other` also stands for values beyond the limit.'),
  jobs: z.int().describe('Ended jobs.'),
  images: z.int().describe('Stored images.'),
  failed: z.int().describe('Jobs that failed.'),
  micro_usd: z.int().describe('Known costs in micro-USD.'),
  micro_usd_possible: z.int().describe('Upper bound of charges that are not settled, in micro-USD.'),
  unknown_cost_jobs: z.int().describe('Jobs whose cost is `null`.'),
  tokens: z.int().describe('Tokens that the provider reported.'),
});
export type UsageRow = z.infer<typeof UsageRow>;

const Settlement = z
  .strictObject({
    micro_usd: z
      .int()
      .min(0)
      .max(1_000_000_000_000)
      .describe('Cost of all calls with an unknown charge together, in micro-USD; 0 if nothing was charged.'),
  })
  .describe('A settlement of possible charges.');

/** Schemas of usage and ledger. */
export const usageSchemas: SchemaGroup = {
  requests: { Settlement },
  responses: {
    UsageRow,
    UsageList: z.object({ object: z.literal('list'), data: z.array(UsageRow) }),
    LedgerLine,
  },
  notes: {
    UsageRow: {
      description: 'Sums over jobs. A job counts once it has ended, on the UTC day that accepted it.',
    },
    LedgerLine: {
      description:
        'A call to a provider that was charged or may have been. Calls that cost nothing have no line.',
    },
  },
};
