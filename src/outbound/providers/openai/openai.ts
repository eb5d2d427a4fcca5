import { defineProvider } from '../provider-definition.ts';
import { decodeOpenAIResponse } from './images/decode-openai-response.ts';
import { openaiVariables, refusedInputs } from './variables.ts';

const name = 'openai';

/** OpenAI, or another server that speaks its API. */
export const openai = defineProvider({
  name,
  isLive: true,
  variables: openaiVariables,
  isImpliedBy: ({ OPENAI_API_KEY }) => OPENAI_API_KEY !== undefined,
  needsStudio: () => false,
  refusedInputs,
  create: async (values, { clock, enhanceModel, proxyFor, fetchLink }) => {
    const { openOpenAI } = await import('./open.ts');
    return openOpenAI({
      name,
      // A process that makes no calls needs no key.
      apiKey: values.OPENAI_API_KEY ?? 'none',
      baseUrl: values.OPENAI_BASE_URL,
      mode: values.OPENAI_MODE,
      hostModelName: values.RESPONSES_MODEL,
      enhanceModel,
      clock,
      proxyFor,
      fetchLink,
    });
  },
  check: ({ OPENAI_API_KEY }, { isSelected, makesCalls }) =>
    isSelected && makesCalls && !OPENAI_API_KEY ? ['OPENAI_API_KEY: needed because PROVIDER is openai'] : [],
  describe: ({ OPENAI_BASE_URL }) => `openai${OPENAI_BASE_URL ? ` at ${new URL(OPENAI_BASE_URL).host}` : ''}`,
  decode: decodeOpenAIResponse,
});
