import type { Clock } from '../../../domain/ports.ts';
import type { OpenProvider } from '../provider-definition.ts';
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
}

/** Opens a provider that speaks the OpenAI API. */
export function openOpenAI({ mode, hostModelName, enhanceModel, ...common }: OpenAISettings): OpenProvider {
  const images =
    mode === 'responses'
      ? createResponsesProvider({ ...common, hostModelName })
      : createOpenAIProvider(common);
  const enhancer = createPromptEnhancer({ ...common, model: enhanceModel });
  return {
    images,
    enhancer,
    probe: images.check,
    async close() {
      await Promise.all([images.close(), enhancer.close()]);
    },
  };
}
