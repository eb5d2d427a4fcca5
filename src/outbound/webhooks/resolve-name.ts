import type { LookupAddress } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';

/** Function that returns every address of a name. Rejects if the name has none. */
export type ResolveName = (hostname: string) => Promise<readonly LookupAddress[]>;

/**
 * Resolves a name as other programs on this machine do, including `/etc/hosts`. Runs in Node's small thread pool, in
 * which at most two lookups wait at a time.
 */
export const resolveBySystem: ResolveName = (hostname) => lookup(hostname, { all: true });

/** Timeout of one query to one name server, in milliseconds. Every name server gets a query at most twice. */
const questionMs = 2_000;
/** Maximum time of a lookup, in milliseconds. Shorter than the time for a connection, and enough for three silent servers. */
const lookupMs = 8_000;
/** Time for the addresses of the other family after the first addresses, in milliseconds. Some name servers drop its queries. */
const otherFamilyMs = 1_000;

/**
 * Creates a resolver that queries name servers directly, for public names. A name server that does not respond delays
 * neither other destinations nor calls to the provider. If it responds for one family only, the name has these addresses.
 *
 * @param servers name servers as `address:port`. Default: those of the operating system.
 */
export function createPublicResolver(servers?: readonly string[]): ResolveName {
  return async (hostname) => {
    // A new resolver is created for each lookup, because it reads the configured servers once and they may change.
    const resolver = new Resolver({ timeout: questionMs, tries: 2 });
    if (servers) resolver.setServers(servers);
    const timers: NodeJS.Timeout[] = [];
    const cancelAfter = (ms: number) => void timers.push(setTimeout(() => resolver.cancel(), ms));
    cancelAfter(lookupMs);
    const of = async (family: 4 | 6) => {
      const addresses = await (family === 4 ? resolver.resolve4(hostname) : resolver.resolve6(hostname));
      if (addresses.length > 0) cancelAfter(otherFamilyMs);
      return addresses.map((address) => ({ address, family }));
    };
    const families = await Promise.allSettled([of(4), of(6)]);
    for (const timer of timers) clearTimeout(timer);
    const found = families.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    if (found.length === 0) throwFaultOf(families);
    return found;
  };
}

/** Throws the failure of a lookup, if it failed. A name without one family is not missing if the other query got no response. */
function throwFaultOf(families: readonly PromiseSettledResult<unknown>[]): void {
  const faults = families.flatMap((each) => (each.status === 'rejected' ? [namedAsLookup(each.reason)] : []));
  const byRank = ['ENOTFOUND', unanswered].flatMap((code) => faults.find((each) => each.code === code) ?? []);
  const fault = byRank[0] ?? faults[0];
  if (fault) throw fault;
}

const unanswered = 'EAI_AGAIN';

/**
 * Renames the error codes of a name server to those of a lookup. A refusal of the name server would otherwise look like
 * a connection that the endpoint refused.
 */
function namedAsLookup(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  const isMissing = error.code === 'ENOTFOUND' || error.code === 'ENODATA';
  return isMissing ? error : Object.assign(new Error(error.message, { cause: error }), { code: unanswered });
}
