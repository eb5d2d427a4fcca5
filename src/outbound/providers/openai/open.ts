import type { Clock, FetchLink } from '../../../domain/ports.ts';
import type { OpenProvider } from '../provider-definition.ts';
import { redactKey } from '../redact-key.ts';
import { createOpenAIProvider } from './images/openai-provider.ts';
import { createResponsesProvider } from './images/responses-provider.ts';
import { createPromptEnhancer } from './prompts/prompt-enhancer.ts';

/** The settings of a server that speaks the OpenAI API. */
export interface OpenAISettings {
  /** Name of the provider in the registry. */
  readonly name: string;
  readonly apiKey: string;
  readonly baseUrl: string | undefined;
  /** Which API generates images. */
  readonly mode: 'images' | 'responses';
  /** Text model that runs the image tool if the mode is `responses`. */
  readonly hostModelName: string;
  readonly enhanceModel: string;
  readonly clock: Clock;
  readonly proxyFor: (address: string) => string | undefined;
  readonly fetchLink?: FetchLink | undefined;
}

const defaultBaseUrl = 'https://api.openai.com/v1';

/** Opens a provider that speaks the OpenAI API. */
export function openOpenAI(settings: OpenAISettings): OpenProvider {
  const { name, apiKey, baseUrl, mode, hostModelName, enhanceModel, clock } = settings;
  const proxy = settings.proxyFor(baseUrl ?? defaultBaseUrl);
  const common = { name, apiKey, baseUrl, proxy, clock };
  const images =
    mode === 'responses'
      ? createResponsesProvider({ ...common, hostModelName })
      : createOpenAIProvider({ ...common, fetchLink: settings.fetchLink });
  const enhancer = createPromptEnhancer({ ...common, model: enhanceModel });
  const provider: OpenProvider = {
    images,
    enhancer,
    proxy,
    probe: images.check,
    async close() {
      await Promise.all([images.close(), enhancer.close()]);
    },
  };
  return redactKey(provider, apiKey);
}
