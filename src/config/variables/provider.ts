import { z } from 'zod';
import { CatalogueFile } from '../../domain/model-catalogue.ts';
import { readOperatorFile } from '../../lib/data-files.ts';
import { credential, defineVariable, readBy, text, truth, url, whole } from '../../lib/variable.ts';

const section = 'Provider';

/** Variables of the provider and its models. */
export const provider = {
  PROVIDER: defineVariable({
    section,
    schema: z.enum(['openai', 'studio']),
    about:
      '`openai`, or `studio` for built-in offline images. Default in `dev`: `openai` if a key is set, otherwise `studio`.',
  }),
  OPENAI_API_KEY: defineVariable({
    section,
    schema: credential,
    secret: true,
    about: 'API key of the provider account.',
  }),
  OPENAI_BASE_URL: defineVariable({
    section,
    schema: url,
    about:
      'Address of another server with the OpenAI API, including its version such as `/v1`. Its query is sent with every call.',
  }),
  OPENAI_MODE: defineVariable({
    section,
    schema: z.enum(['images', 'responses']),
    fallback: 'images',
    about:
      '`images`: one request per image. `responses`: images are generated in the background of the Responses API, so a worker crash during a call costs nothing. A language model runs the call and may reword the prompt, and the provider stores the data for about ten minutes.',
  }),
  RESPONSES_MODEL: defineVariable({
    section,
    schema: text,
    fallback: 'gpt-5.4-mini',
    about: 'Language model that runs the calls if OPENAI_MODE is `responses`.',
  }),
  DEFAULT_MODEL: defineVariable({
    section,
    schema: text,
    fallback: 'gpt-image-2.6-flare',
    about: 'Model of requests without a model.',
  }),
  CATALOGUE_FILE: defineVariable({
    section,
    schema: readBy((path) => readOperatorFile(path, CatalogueFile)),
    about: 'Model catalogue that replaces the built-in one.',
  }),
  ALLOW_UNKNOWN_MODELS: defineVariable({
    section,
    schema: truth,
    fallback: 'true',
    about: 'Whether models outside the catalogue pass, with a warning and without checks and costs.',
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
