import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * The only range from which IANA has assigned global unicast addresses. Other ranges embed or translate addresses, or
 * are not routed.
 */
const globalUnicastV6 = ipaddr.IPv6.parse('2000::');
const globalUnicastPrefixLength = 3;

/** Addresses in public ranges that a cloud serves inside the machine: the host agent of Azure. */
const internalInPublicRanges: ReadonlySet<string> = new Set(['168.63.129.16']);

/**
 * Returns whether an address belongs to the public internet. The following ranges are not public:
 *
 * - private, shared, loopback, link-local, multicast, documentation, benchmarking and reserved ranges;
 * - every IPv6 range with an embedded IPv4 address (mapped, compatible, translated, 6to4, Teredo), for any embedded
 *   address.
 *
 * An IPv6 address must also be inside 2000::/3, because ipaddr.js classifies every unlisted range as unicast. One of
 * these is the IPv4-compatible range `::/96`.
 *
 * @param ip an address in the spelling of the operating system. Text with a zone, a port or a name is not public.
 */
export function isPublicAddress(ip: string): boolean {
  if (isIP(ip) === 0 || ip.includes('%')) return false;
  const address = ipaddr.parse(ip);
  if (address.range() !== 'unicast') return false;
  if (address.kind() === 'ipv6') return address.match(globalUnicastV6, globalUnicastPrefixLength);
  return !internalInPublicRanges.has(address.toString());
}
