import type { Config } from '../config/config.ts';
import { type OpenProvider, selectedProvider } from '../outbound/providers/registry.ts';
import { clock } from './clock.ts';

/**
 * Opens the provider that the configuration selects.
 *
 * @param studioUrl address of the offline server that this process runs, if it runs one.
 */
export function composeProvider(config: Config, studioUrl: string | undefined): OpenProvider {
  return selectedProvider(config).create(config, { clock, enhanceModel: config.ENHANCE_MODEL, studioUrl });
}
