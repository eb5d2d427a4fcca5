import { z } from 'zod';
import { defineVariable, truth, whole } from '../../lib/variable.ts';
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
      'Whether the job of an OpenAI client that disconnects is canceled, unless another request of `/v1` waits for it. The same for all processes. By default the job continues, and a repeated request joins it.',
  }),
  V1_KEEP_ALIVE_S: defineVariable({
    section,
    schema: whole(1, 250),
    fallback: '25',
    about:
      'Time until an OpenAI client that waits gets its first sign of life, in seconds. Further ones follow every 15 s, or after this time if that is shorter. Set it below the idle timeout of every proxy. Failures before it keep their status for every client.',
  }),
  V1_INTERIM_RESPONSES: defineVariable({
    section,
    schema: z.enum(['auto', 'always', 'never']),
    fallback: 'auto',
    about:
      'Whether OpenAI clients that wait get `102 Processing` responses. `auto` sends them to direct clients that are known to skip them. Other clients get white space.',
  }),
};
