import { isIP } from 'node:net';
import { AppError } from '../../domain/errors.ts';
import type { DestinationGuard } from '../../domain/ports.ts';
import { isOrdinaryPort } from './destination-ports.ts';
import { createNetworkList } from './network-list.ts';
import { isPublicAddress } from './public-address.ts';

export interface DestinationRules {
  /** Development only: private addresses, loopback, local names and plain http may be called. */
  readonly allowPrivate: boolean;
  /** Private networks that an operator opens all the same, as CIDR; names of private networks are allowed then. */
  readonly allowedNetworks?: readonly string[] | undefined;
  /** Plain http is refused. */
  readonly requireHttps: boolean;
}

/** What the sender asks before it connects. */
export interface AddressGuard extends DestinationGuard {
  /**
   * @returns the URL as it will be called: whoever connects uses this one, never parses the text again.
   * @throws AppError `destination_forbidden`
   */
  checkUrl(url: string, pointer?: string): URL;
  /** Whether an IP address, spelled as the system does, may be connected to. */
  allowsAddress(ip: string): boolean;
}

const maxHostLength = 253;

/** Names that only a private network answers (RFC 6761, 6762, 8375, ICANN's `internal`, and what routers ship with). */
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
];

/**
 * The rules for addresses that callers name. `checkUrl` reads the URL alone and resolves nothing: it is meant for the
 * moment a URL is taken, and again for every call. What a name resolves to is asked of `allowsAddress` for each
 * address, at the time of the connection.
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

/** The refusal, pointing at the request field that named the address. */
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
    return 'The address holds a user name or password. Remove it: webhooks are signed instead.';
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
  // A name of a private network can only lead to addresses that are checked at the connection.
  const hasNetworks = (rules.allowedNetworks?.length ?? 0) > 0;
  if (!rules.allowPrivate && !hasNetworks && isLocalName(host)) {
    return `${host} is a name of a private network. Use one the internet can reach.`;
  }
  return undefined;
}

/** The host as WHATWG normalized it (any spelling of an IPv4 address is dotted decimal by now), without brackets. */
function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}

function isLocalName(host: string): boolean {
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  return !name.includes('.') || localSuffixes.some((suffix) => name.endsWith(`.${suffix}`));
}
