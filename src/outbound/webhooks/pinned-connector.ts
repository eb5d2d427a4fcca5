import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { forbidden } from './destination-guard.ts';
import { type ResolveName, resolveBySystem } from './resolve-name.ts';

export interface PinnedConnectorOptions {
  readonly allowsAddress: (ip: string) => boolean;
  /** Until TCP and TLS stand, names included; milliseconds. */
  readonly timeoutMs: number;
  /** Instead of the system's resolver. */
  readonly resolve?: ResolveName | undefined;
}

/** Time for one address of several before the next one is tried too; Node's own 250 ms fail on far receivers. */
const attemptTimeoutMs = 1_500;

/**
 * Connects undici to allowed addresses only. A literal address is checked before anything is opened, since Node never
 * looks those up; a name is resolved once, refused if any of its addresses is not allowed, and connected to those very
 * addresses: no second question is asked whose answer could differ. Name indication, certificate check and `Host` stay
 * the name's. Last, the address of the other end is checked.
 *
 * Fails with AppError `destination_forbidden`, or with the error of the system.
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
