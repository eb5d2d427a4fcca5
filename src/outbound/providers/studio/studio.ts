import { decodeOpenAIResponse } from '../openai/images/decode-openai-response.ts';
import { openaiVariables, refusedInputs } from '../openai/variables.ts';
import { defineProvider } from '../provider-definition.ts';

const name = 'studio';

/**
 * Provider of offline images. The studio speaks the OpenAI API. This process runs the studio, unless OPENAI_BASE_URL names
 * a studio that runs elsewhere.
 */
export const studio = defineProvider({
  name,
  isLive: false,
  variables: openaiVariables,
  isImpliedBy: ({ OPENAI_API_KEY }) => OPENAI_API_KEY === undefined,
  needsStudio: ({ OPENAI_BASE_URL }) => OPENAI_BASE_URL === undefined,
  refusedInputs,
  create: async (values, { clock, enhanceModel, studioUrl, proxyFor, fetchLink }) => {
    const { openOpenAI } = await import('../openai/open.ts');
    return openOpenAI({
      name,
      apiKey: values.OPENAI_API_KEY ?? 'studio',
      baseUrl: values.OPENAI_BASE_URL ?? studioUrl,
      mode: values.OPENAI_MODE,
      hostModelName: values.RESPONSES_MODEL,
      enhanceModel,
      clock,
      proxyFor,
      fetchLink,
    });
  },
  check: () => [],
  describe: ({ OPENAI_BASE_URL }) =>
    OPENAI_BASE_URL ? `studio at ${new URL(OPENAI_BASE_URL).host}` : 'studio, offline images',
  decode: decodeOpenAIResponse,
});
