import type { LookupAddress } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';

/** Every address of a name. Rejects when there is none. */
export type ResolveName = (hostname: string) => Promise<readonly LookupAddress[]>;

/**
 * As every program on this machine does, its own names included. Runs in the few threads that Node has for it, of which
 * two may wait here at a time.
 */
export const resolveBySystem: ResolveName = (hostname) => lookup(hostname, { all: true });

/** How long one question to a name server may take; it is asked twice. */
const questionMs = 2_000;

/**
 * Asks the name servers directly, for names of the public internet: a server that never answers holds up nobody else,
 * neither other receivers nor the provider.
 *
 * @param servers instead of those of the system, as `address:port`.
 */
export function createPublicResolver(servers?: readonly string[]): ResolveName {
  return async (hostname) => {
    // A resolver reads once which servers the system names, and these change.
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

/** The name server's refusals would read as if the receiver had refused the connection. */
function namedAsLookup(error: NodeJS.ErrnoException): Error {
  const isMissing = error.code === 'ENOTFOUND' || error.code === 'ENODATA';
  return isMissing ? error : Object.assign(new Error(error.message, { cause: error }), { code: 'EAI_AGAIN' });
}
