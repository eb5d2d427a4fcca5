import { defineVariable, whole } from '../../lib/variable.ts';
import { metadataKeys } from '../values.ts';

const section = 'Usage and ledger';

/** Variables of usage counters and of the archive of the ledger. */
export const usage = {
  USAGE_METADATA_KEYS: defineVariable({
    section,
    schema: metadataKeys,
    fallback: '',
    about:
      'Metadata keys whose values separate usage, comma-separated, at most 4. Values stay in the counters after a job is erased, so name no key with personal data.',
  }),
  MAX_USAGE_ROWS: defineVariable({
    section,
    schema: whole(1, 1_000_000),
    fallback: '10000',
    about:
      'Maximum number of combinations of model, key and metadata values that are counted apart for one tenant. The metadata values of further ones count as `other`.',
  }),
  USAGE_TTL_S: defineVariable({
    section,
    schema: whole(86_400, 3_153_600_000),
    fallback: '94608000',
    about: 'Retention of usage counters in Redis, in seconds.',
  }),
  LEDGER_TTL_S: defineVariable({
    section,
    schema: whole(86_400, 3_153_600_000),
    fallback: '315360000',
    about: 'Retention of the archived ledger in the storage, in seconds.',
  }),
};
