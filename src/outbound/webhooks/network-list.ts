import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Networks that the operator allows. */
export interface NetworkList {
  /** Returns whether a network contains an address. Returns false for text that the operating system would not produce. */
  holds(ip: string): boolean;
}

/**
 * Creates a list of networks. Does not unwrap an IPv4 address inside an IPv6 address: only its plain spelling matches.
 *
 * @param networks networks in CIDR form, such as `10.0.0.0/8` or `fd00::/8`.
 * @throws Error if an item is not in CIDR form.
 */
export function createNetworkList(networks: readonly string[]): NetworkList {
  const ranges = networks.map((network) => ipaddr.parseCIDR(network));
  return {
    holds(ip) {
      if (isIP(ip) === 0 || ip.includes('%')) return false;
      const address = ipaddr.parse(ip);
      return ranges.some(
        ([base, bits]) => base.kind() === address.kind() && address.match([base, bits] as never),
      );
    },
  };
}
