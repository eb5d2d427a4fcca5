/** Returns a host in the form of a URL: IPv6 addresses in brackets (RFC 3986, section 3.2.2). */
export const hostInUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);
