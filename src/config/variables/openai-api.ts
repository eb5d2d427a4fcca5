import { z } from 'zod';
import { defineVariable, truth } from '../../lib/variable.ts';
import { modelMap } from '../values.ts';

const section = 'OpenAI-compatible API';

/** Variables of the OpenAI-compatible API. */
export const openAiApi = {
  V1_MODEL_MAP: defineVariable({
    section,
    schema: modelMap,
    about:
      'Models for the names that OpenAI clients send, as `name=model`, comma-separated. `*` stands for every other name that the catalogue does not know or that is retired. The model `default` is DEFAULT_MODEL. Example: `dall-e-3=gpt-image-2.6-flare,*=default`.',
  }),
  V1_CANCEL_ON_DISCONNECT: defineVariable({
    section,
    schema: truth,
    fallback: 'false',
    about:
      'Whether the job of an OpenAI client that disconnects is canceled. By default the job continues, and a repeated request joins it.',
  }),
  V1_INTERIM_RESPONSES: defineVariable({
    section,
    schema: z.enum(['auto', 'always', 'never']),
    fallback: 'auto',
    about:
      'Whether OpenAI clients that wait get `102 Processing` responses. `auto` sends them to direct clients that are known to skip them. Other clients get white space.',
  }),
};
