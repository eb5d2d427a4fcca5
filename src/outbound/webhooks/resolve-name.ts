import type { LookupAddress } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';

/** Function that returns every address of a name. Rejects if the name has none. */
export type ResolveName = (hostname: string) => Promise<readonly LookupAddress[]>;

/**
 * Resolves a name as other programs on this machine do, including `/etc/hosts`. Runs in Node's small thread pool, in
 * which at most two lookups wait at a time.
 */
export const resolveBySystem: ResolveName = (hostname) => lookup(hostname, { all: true });

/** Timeout of one query to a name server, in milliseconds. A query is sent at most twice. */
const questionMs = 2_000;

/**
 * Creates a resolver that queries name servers directly, for public names. A name server that does not respond delays
 * neither other destinations nor calls to the provider.
 *
 * @param servers name servers as `address:port`. Default: those of the operating system.
 */
export function createPublicResolver(servers?: readonly string[]): ResolveName {
  return async (hostname) => {
    // A new resolver is created for each lookup, because it reads the configured servers once and they may change.
    const resolver = new Resolver({ timeout: questionMs, tries: 2 });
    if (servers) resolver.setServers(servers);
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const found = [
      ...addressesOf(v4).map((address) => ({ address, family: 4 })),
      ...addressesOf(v6).map((address) => ({ address, family: 6 })),
    ];
    if (found.length === 0 && v4.status === 'rejected') throw namedAsLookup(v4.reason);
    return found;
  };
}

const addressesOf = (response: PromiseSettledResult<string[]>) =>
  response.status === 'fulfilled' ? response.value : [];

/**
 * Renames the error codes of a name server to those of a lookup. A refusal of the name server would otherwise look like
 * a connection that the endpoint refused.
 */
function namedAsLookup(error: NodeJS.ErrnoException): Error {
  const isMissing = error.code === 'ENOTFOUND' || error.code === 'ENODATA';
  return isMissing ? error : Object.assign(new Error(error.message, { cause: error }), { code: 'EAI_AGAIN' });
}
