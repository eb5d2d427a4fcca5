import ipaddr from 'ipaddr.js';

/** Number of 16-bit groups in the first half of an IPv6 address. */
const networkGroups = 4;

/**
 * Returns the name of the network of a client: its IPv4 address, or the first 64 bits of its IPv6 address, because a client has
 * all addresses with these bits. Returns other texts unchanged.
 */
export function clientNetworkOf(ip: string): string {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  if (!('parts' in address)) return address.toString();
  const groups = address.parts.slice(0, networkGroups);
  return `${groups.map((group) => group.toString(16)).join(':')}::/64`;
}
