import type { Config } from '../config/config.ts';
import { type OpenProvider, selectedProvider } from '../outbound/providers/registry.ts';
import { clock } from './clock.ts';
import { proxiesOf } from './proxies.ts';

/**
 * Opens the provider that the configuration selects.
 *
 * @param studioUrl address of the offline server that this process runs, if it runs one.
 */
export function composeProvider(config: Config, studioUrl: string | undefined): Promise<OpenProvider> {
  const enhanceModel = config.ENHANCE_MODEL;
  return selectedProvider(config).create(config, {
    clock,
    enhanceModel,
    studioUrl,
    proxyFor: proxiesOf(config),
  });
}
