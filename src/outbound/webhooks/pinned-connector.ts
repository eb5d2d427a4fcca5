import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { forbidden } from './destination-guard.ts';
import { type ResolveName, resolveBySystem } from './resolve-name.ts';

export interface PinnedConnectorOptions {
  readonly allowsAddress: (ip: string) => boolean;
  /** Timeout of name resolution, TCP and TLS together, in milliseconds. */
  readonly timeoutMs: number;
  /** Replaces the resolver of the operating system. */
  readonly resolve?: ResolveName | undefined;
}

/**
 * Time after which the next address of a name is tried too, in milliseconds. Node's default of 250 ms is too short for
 * distant endpoints.
 */
const attemptTimeoutMs = 1_500;

/**
 * Creates a connector for undici that connects to allowed addresses only.
 *
 * - A literal address is checked before a socket is opened, because Node does not look up literal addresses.
 * - A name is resolved once. The connector refuses the name if any of its addresses is not allowed.
 * - The connector connects to the resolved addresses. A second lookup could return other addresses (DNS rebinding).
 * - SNI, the certificate check and `Host` use the name.
 * - The remote address is checked again after the connection is open.
 *
 * Fails with AppError `destination_forbidden`, or with the error of the operating system.
 */
export function createPinnedConnector(options: PinnedConnectorOptions): buildConnector.connector {
  const { allowsAddress } = options;
  const connect = buildConnector({
    lookup: createCheckedLookup(options.resolve ?? resolveBySystem, allowsAddress),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: attemptTimeoutMs,
    timeout: options.timeoutMs,
  });

  return (target, callback) => {
    if (isIP(target.hostname) !== 0 && !allowsAddress(target.hostname)) {
      callback(forbidden(`${target.hostname} is not a public address.`), null);
      return;
    }
    connect(target, (...result) => {
      const [error, socket] = result;
      if (error === null && !allowsAddress(socket.remoteAddress ?? '')) {
        socket.destroy();
        callback(
          forbidden(`The connection to ${target.hostname} ended at an address that is not public.`),
          null,
        );
        return;
      }
      callback(...result);
    });
  };
}

function createCheckedLookup(resolve: ResolveName, allowsAddress: (ip: string) => boolean): LookupFunction {
  return (hostname, _options, callback) => {
    resolve(hostname).then(
      (found) => {
        if (found.length === 0) {
          callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), []);
        } else if (found.every(({ address }) => allowsAddress(address))) {
          callback(null, [...found]);
        } else {
          callback(forbidden(`${hostname} resolves to an address that is not public.`), []);
        }
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}
