import type { Config } from '../config/config.ts';
import { proxyFor } from '../lib/proxy.ts';

/** Returns the function that chooses the proxy of an address. Used for the provider and S3, never for webhooks. */
export function proxiesOf(config: Config): (address: string) => string | undefined {
  const settings = {
    httpsProxy: config.HTTPS_PROXY,
    httpProxy: config.HTTP_PROXY,
    noProxy: config.NO_PROXY,
  };
  return (address) => proxyFor(address, settings);
}
