import type { Config } from '../config/config.ts';
import { createOpenAIProvider } from '../outbound/providers/openai/images/openai-provider.ts';
import { createResponsesProvider } from '../outbound/providers/openai/images/responses-provider.ts';
import { clock } from './clock.ts';
import type { Environment } from './local.ts';

/** Creates the image provider in the mode that the configuration chooses. */
export function composeProvider(config: Config, provider: Environment['provider']) {
  const common = { ...provider, clock };
  return config.OPENAI_MODE === 'responses'
    ? createResponsesProvider({ ...common, hostModelName: config.RESPONSES_MODEL })
    : createOpenAIProvider(common);
}
