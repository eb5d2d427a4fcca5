import { hostInUrl } from './host-in-url.ts';
import { systemCode } from './system-code.ts';

/** Names of the settings of an address, as a user sets them. */
interface SettingNames {
  readonly host: string;
  readonly port: string;
}

/** Reason and remedy of a failed listen, by error code. */
const remedies: Readonly<Record<string, (names: SettingNames) => string>> = {
  EADDRINUSE: ({ port }) => `another program uses this port. Stop it, or set ${port} to a free port`,
  EACCES: ({ port }) => `this user lacks the permission. Set ${port} to 1024 or above`,
  EADDRNOTAVAIL: ({ host }) => `this machine has no such address. Set ${host} to an address of this machine`,
  ENOTFOUND: ({ host }) => `there is no such host. Set ${host} to an address of this machine`,
};

/** Returns an error with the address and the remedy if an address is unavailable; otherwise the given error. */
export function describeListenError(
  error: unknown,
  { host, port }: { readonly host: string; readonly port: number },
  names: SettingNames,
): unknown {
  // A resolver that cannot be reached knows no host either.
  const code = systemCode(error) === 'EAI_AGAIN' ? 'ENOTFOUND' : systemCode(error);
  const remedy = remedies[code ?? '']?.(names);
  if (!remedy) return error;
  return new Error(`Cannot listen on ${hostInUrl(host)}:${port}: ${remedy}.`, { cause: error });
}
