import type { Config } from '../config/config.ts';
import { storageNamed } from '../outbound/storage/registry.ts';
import { proxiesOf } from './proxies.ts';

/** Opens the storage that the configuration selects. */
export function composeStorage(config: Config, signingKey: Buffer) {
  return storageNamed(config.STORAGE).create(config, {
    dataDir: config.DATA_DIR,
    signingKey,
    proxyFor: proxiesOf(config),
  });
}

/** Returns the proxy for calls to the storage, if any. */
export function storageProxy(config: Config): string | undefined {
  const endpoint = storageNamed(config.STORAGE).endpoint(config);
  return endpoint && proxiesOf(config)(endpoint);
}

/** Returns the origins of links to images, besides the address of the request. */
export function imageOriginsOf(config: Config): string[] {
  const own = config.PUBLIC_URL === undefined ? [] : [new URL(config.PUBLIC_URL).origin];
  return [...own, ...storageNamed(config.STORAGE).linkOrigins(config)];
}

/** Returns the location of the images in a few words, without secrets. */
export function describeStorage(config: Config): string {
  return storageNamed(config.STORAGE).describe(config, { dataDir: config.DATA_DIR });
}
