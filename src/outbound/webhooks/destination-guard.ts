import { isIP } from 'node:net';
import { AppError } from '../../domain/errors.ts';
import type { DestinationGuard } from '../../domain/ports.ts';
import { isOrdinaryPort } from './destination-ports.ts';
import { createNetworkList } from './network-list.ts';
import { isPublicAddress } from './public-address.ts';

export interface DestinationRules {
  /** Allows private addresses, loopback, local names and plain http. For development only. */
  readonly allowPrivate: boolean;
  /** Private networks that the operator allows, as CIDR. Names of private networks are then allowed too. */
  readonly allowedNetworks?: readonly string[] | undefined;
  /** Refuses plain http. */
  readonly requireHttps: boolean;
}

/** Checks that the sender makes before it connects. */
export interface AddressGuard extends DestinationGuard {
  /**
   * Checks a URL without resolving its name.
   *
   * @returns the parsed URL. The sender must call this object and not parse the text again.
   * @throws AppError `destination_forbidden`
   */
  checkUrl(url: string, pointer?: string): URL;
  /** Returns whether the sender may connect to an IP address. Expects the spelling of the operating system. */
  allowsAddress(ip: string): boolean;
}

const maxHostLength = 253;

/** Names that only a private network resolves: RFC 6761, 6762, 8375, ICANN's `internal`, defaults of routers, and Kubernetes. */
const localSuffixes = [
  'localhost',
  'local',
  'internal',
  'localdomain',
  'lan',
  'home',
  'home.arpa',
  'corp',
  'intranet',
  'svc',
];

/**
 * Creates the guard for URLs that callers submit. `checkUrl` is called when a URL is accepted, and again before every
 * attempt. It resolves no name. `allowsAddress` is called for every address of a name when the sender connects.
 */
export function createDestinationGuard(rules: DestinationRules): AddressGuard {
  const networks = createNetworkList(rules.allowedNetworks ?? []);
  const allowsAddress = (ip: string): boolean =>
    rules.allowPrivate || isPublicAddress(ip) || networks.holds(ip);
  return {
    allowsAddress,
    checkUrl(text, pointer) {
      const url = parsed(text);
      if (!url) throw forbidden('This is not an absolute URL. Write https://host/path.', pointer);
      const objection = objectionToParts(url, rules) ?? objectionToHost(url, rules, allowsAddress);
      if (objection) throw forbidden(objection, pointer);
      return url;
    },
  };
}

/** Returns the error of a refused URL. Its pointer names the request field with the URL. */
export function forbidden(detail: string, pointer = '/webhook/url'): AppError {
  return new AppError('destination_forbidden', { detail, issues: [{ pointer, detail }] });
}

function parsed(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

function objectionToParts(url: URL, rules: DestinationRules): string | undefined {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'Only https:// addresses can be called.';
  if (url.protocol === 'http:' && rules.requireHttps && !rules.allowPrivate) {
    return 'Plain http is not allowed here. Use https://.';
  }
  if (url.username !== '' || url.password !== '') {
    return 'The address holds a user name or password. Remove it.';
  }
  if (url.hash !== '') return 'The address holds a fragment (#...), which is never sent. Remove it.';
  return objectionToPort(url, rules);
}

function objectionToPort(url: URL, rules: DestinationRules): string | undefined {
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  if (rules.allowPrivate || isOrdinaryPort(port)) return undefined;
  return `Port ${port} may not be called. Use 443, or one from 1024 up that no database or internal service is known by.`;
}

function objectionToHost(
  url: URL,
  rules: DestinationRules,
  allowsAddress: (ip: string) => boolean,
): string | undefined {
  const host = hostOf(url);
  if (host.length > maxHostLength) return `The host name is longer than ${maxHostLength} characters.`;
  if (isIP(host) !== 0) {
    return allowsAddress(host)
      ? undefined
      : `${host} is not a public address. Use one the internet can reach.`;
  }
  // Names of private networks are allowed here, because their addresses are checked when the sender connects.
  const hasNetworks = (rules.allowedNetworks?.length ?? 0) > 0;
  if (!rules.allowPrivate && !hasNetworks && isLocalName(host)) {
    return `${host} is a name of a private network. Use one the internet can reach.`;
  }
  return undefined;
}

/** Returns the host of a URL without brackets. The WHATWG parser has converted every IPv4 spelling to dotted decimal. */
function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}

function isLocalName(host: string): boolean {
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  return !name.includes('.') || localSuffixes.some((suffix) => name.endsWith(`.${suffix}`));
}
