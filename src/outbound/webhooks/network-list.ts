import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Networks that an operator has named. */
export interface NetworkList {
  /** @param ip an address as the system spells it; anything else is in no network. */
  holds(ip: string): boolean;
}

/**
 * An IPv4 address inside an IPv6 one is not unwrapped: only the plain spelling of a named network counts.
 *
 * @param networks each as `10.0.0.0/8` or `fd00::/8`.
 * @throws Error for anything else.
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
