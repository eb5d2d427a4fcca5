import { onTestFinished } from 'vitest';
import { type StudioOptions, startStudio } from '../../src/local/studio/studio.ts';
import {
  createResponsesProvider,
  type ResponsesProviderConfig,
} from '../../src/outbound/providers/openai/images/responses-provider.ts';

/**
 * Creates a provider of background images that polls every 10 ms and gives up after three polls without a response. It is
 * closed when the test ends.
 */
export function backgroundProvider(baseUrl: string, rest: Partial<ResponsesProviderConfig> = {}) {
  const provider = createResponsesProvider({
    name: 'openai',
    apiKey: 'sk-test-000',
    baseUrl,
    hostModelName: 'gpt-5.4-mini',
    pauseMs: () => 10,
    lostAfterMs: 0,
    ...rest,
  });
  onTestFinished(provider.close);
  return provider;
}
/** Starts a studio, and creates a provider that calls it. */
export async function backgroundStudio(options: StudioOptions = {}) {
  const studio = await startStudio({ image: 'quick', ...options });
  onTestFinished(studio.stop);
  return { studio, provider: backgroundProvider(studio.baseUrl) };
}
