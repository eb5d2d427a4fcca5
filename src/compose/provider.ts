import type { Config } from '../config/config.ts';
import type { FetchLink } from '../domain/ports.ts';
import { type OpenProvider, selectedProvider } from '../outbound/providers/registry.ts';
import { clock } from './clock.ts';
import { proxiesOf } from './proxies.ts';

/**
 * Opens the provider that the configuration selects.
 *
 * @param options.studioUrl address of the offline server that this process runs, if it runs one.
 * @param options.fetchLink fetches the links of models that send links.
 */
export function composeProvider(
  config: Config,
  { studioUrl, fetchLink }: { studioUrl: string | undefined; fetchLink?: FetchLink },
): Promise<OpenProvider> {
  const enhanceModel = config.ENHANCE_MODEL;
  return selectedProvider(config).create(config, {
    clock,
    enhanceModel,
    studioUrl,
    proxyFor: proxiesOf(config),
    fetchLink,
  });
}
