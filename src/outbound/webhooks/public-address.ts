import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** All that IANA has ever assigned for global unicast; what lies outside embeds, translates or is not routed. */
const globalUnicastV6 = ipaddr.IPv6.parse('2000::');
const globalUnicastPrefixLength = 3;

/** Addresses in public ranges that clouds answer from inside the machine: Azure's host agent. */
const internalInPublicRanges: ReadonlySet<string> = new Set(['168.63.129.16']);

/**
 * Whether an address belongs to the public internet. Everything else is refused: private, shared, loopback,
 * link-local, multicast, documentation, benchmarking and reserved ranges, and every IPv6 range that carries an IPv4
 * address inside (mapped, compatible, translated, 6to4, Teredo), whatever that inner address is.
 *
 * IPv6 has to be inside 2000::/3 besides, since ipaddr.js takes any range it does not list for unicast, and with that
 * the IPv4-compatible `::/96`.
 *
 * @param ip an address as the system spells it; a zone, a port, a name or anything else is not public.
 */
export function isPublicAddress(ip: string): boolean {
  if (isIP(ip) === 0 || ip.includes('%')) return false;
  const address = ipaddr.parse(ip);
  if (address.range() !== 'unicast') return false;
  if (address.kind() === 'ipv6') return address.match(globalUnicastV6, globalUnicastPrefixLength);
  return !internalInPublicRanges.has(address.toString());
}
