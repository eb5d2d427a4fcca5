import { BlockList, isIP } from 'node:net';

/** Configured proxies. */
export interface ProxySettings {
  readonly httpsProxy: string | undefined;
  readonly httpProxy: string | undefined;
  /** Hosts without a proxy, comma-separated: `host`, `host:port`, `.domain`, a network as `10.0.0.0/8`, or `*`. */
  readonly noProxy: string | undefined;
}

/** Returns the proxy for calls to an address, or `undefined` for a direct call. Loopback addresses never use a proxy. */
export function proxyFor(address: string, settings: ProxySettings): string | undefined {
  const { protocol, hostname, port } = new URL(address);
  const proxy = protocol === 'https:' ? settings.httpsProxy : settings.httpProxy;
  if (!proxy || isLoopback(hostname)) return undefined;
  const effectivePort = port || (protocol === 'https:' ? '443' : '80');
  const isExempt = (settings.noProxy ?? '')
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => matches(entry.toLowerCase(), hostname, effectivePort));
  return isExempt ? undefined : proxy;
}

const isLoopback = (hostname: string) =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);

/** Returns whether an entry of `noProxy` covers a host. An entry includes every subdomain, as in curl. */
function matches(entry: string, hostname: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isInNetwork(hostname, entry);
  const [, host = entry, entryPort] = /^(.*[^:]):(\d{1,5})$/.exec(entry) ?? [];
  if (entryPort !== undefined && entryPort !== port) return false;
  const domain = host.replace(/^\*?\./, '');
  return hostname === domain || hostname === `[${domain}]` || hostname.endsWith(`.${domain}`);
}

/** Returns whether a host is an address in a network. Names are not resolved, because the proxy may know other addresses. */
function isInNetwork(hostname: string, network: string): boolean {
  const address = withoutBrackets(hostname);
  const [start = '', prefix = ''] = network.split('/', 2);
  const [type, startType] = [isIP(address), isIP(withoutBrackets(start))];
  const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.POSITIVE_INFINITY;
  if (type === 0 || type !== startType || bits > (type === 6 ? 128 : 32)) return false;
  const family = type === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(withoutBrackets(start), bits, family);
  return list.check(address, family);
}

const withoutBrackets = (host: string) => host.replace(/^\[|\]$/g, '');
