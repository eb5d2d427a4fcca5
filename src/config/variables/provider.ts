import { z } from 'zod';
import { CatalogueFile } from '../../domain/catalogue-file.ts';
import { readOperatorFile } from '../../lib/data-files.ts';
import { defineVariable, readBy, text, truth, whole } from '../../lib/variable.ts';
import { providerNames, providerSection, providerVariables } from '../../outbound/providers/registry.ts';

const section = providerSection;

/** Variables of the provider and its models. */
export const provider = {
  PROVIDER: defineVariable({
    section,
    schema: z.enum(providerNames),
    about:
      '`openai`, or `studio` for built-in offline images. Default in `dev`: `openai` if a key is set, otherwise `studio`.',
  }),
  ...providerVariables,
  DEFAULT_MODEL: defineVariable({
    section,
    schema: text,
    fallback: 'gpt-image-2.6-flare',
    about: 'Model of requests without a model.',
  }),
  DEFAULT_QUALITY: defineVariable({
    section,
    schema: text,
    about:
      'Quality of requests without a quality, such as `medium`, if the model has it. Absent: the model chooses, and estimates cover its dearest choice.',
  }),
  CATALOGUE_FILE: defineVariable({
    section,
    schema: readBy((path) => readOperatorFile(path, CatalogueFile)),
    about: 'Model catalogue that replaces the built-in one. `serve` reads it again on SIGHUP.',
  }),
  ALLOW_UNKNOWN_MODELS: defineVariable({
    section,
    schema: truth,
    fallback: 'false',
    about:
      'Whether models outside the catalogue are accepted, with a warning and without checks and costs. Otherwise they are refused with the nearest name, so that a typo costs nothing.',
  }),
  UNKNOWN_COST: defineVariable({
    section,
    schema: z.enum(['refuse', 'allow']),
    fallback: 'refuse',
    about: 'Action on a request with `max_cost_micro_usd` whose cost is unknown: `refuse` or `allow`.',
  }),
  ON_UNCERTAIN: defineVariable({
    section,
    schema: z.enum(['retry', 'fail']),
    fallback: 'retry',
    about: 'Action after a call whose charge is unknown: `retry` or `fail`. A request may override it.',
  }),
  MAX_PAID_ATTEMPTS: defineVariable({
    section,
    schema: whole(1, 10),
    fallback: '2',
    about: 'Maximum number of calls for one image that were charged or may have been charged.',
  }),
  ON_QUOTA: defineVariable({
    section,
    schema: z.enum(['fail', 'wait']),
    fallback: 'fail',
    about:
      'Behavior while the provider rejects the account (no credit, invalid key): `fail` jobs immediately or `wait`.',
  }),
};
