import type { Config } from '../config/config.ts';
import { createOpenAIProvider } from '../outbound/providers/openai/images/openai-provider.ts';
import { createResponsesProvider } from '../outbound/providers/openai/images/responses-provider.ts';
import { clock } from './clock.ts';
import type { Environment } from './local.ts';
import { proxiesOf } from './proxies.ts';

/** Creates the image provider in the mode that the configuration chooses. */
export function composeProvider(config: Config, provider: Environment['provider']) {
  const { name, apiKey, baseUrl } = provider;
  const common = { name, apiKey, baseUrl, proxy: providerProxy(config, provider), clock };
  return config.OPENAI_MODE === 'responses'
    ? createResponsesProvider({ ...common, hostModelName: config.RESPONSES_MODEL })
    : createOpenAIProvider(common);
}

const defaultBaseUrl = 'https://api.openai.com/v1';

/** Returns the proxy for calls to the provider, if any. */
export function providerProxy(config: Config, { baseUrl }: Environment['provider']): string | undefined {
  return proxiesOf(config)(baseUrl ?? defaultBaseUrl);
}
