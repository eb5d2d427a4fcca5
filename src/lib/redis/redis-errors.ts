import { systemCode } from '../system-code.ts';

/** Replies of a server that must not be used any longer: after a failover it is a replica, or it loads its data again. */
const wrongServerCodes = new Set(['READONLY', 'UNBLOCKED', 'MASTERDOWN', 'LOADING']);

/** Replies of a server that cannot or may not serve the command now. Any other reply is a fault of the caller. */
const outageCodes = new Set([
  ...wrongServerCodes,
  ...['OOM', 'MISCONF', 'NOREPLICAS', 'BUSY', 'CLUSTERDOWN', 'TRYAGAIN', 'MOVED', 'ASK'],
  ...['NOAUTH', 'WRONGPASS', 'NOPERM', 'DENIED'],
]);

/** Classes of errors that the client throws if a command got no reply. */
const clientErrors = new Set(['AbortError', 'MaxRetriesPerRequestError', 'ClusterAllFailedError']);

/** Messages of plain errors with the same meaning. The client throws them without a class or code. */
const clientMessages =
  /^(Connection is closed|Stream isn't writeable|Command timed out|Socket timeout|Cluster (isn't ready|is disconnect)|None of startup nodes|Node is disconnected|Too many Cluster redirections|No master node|timeout$)/;

/** Replies to a script that runs a command, or uses a key or a channel, that the user of the connection may not use. */
const scriptRefusal = /^ERR (The user executing the script can't|ACL failure in script)/;

/** Returns the code of an error reply, such as `READONLY`, or `undefined` if the error is not an error reply. */
export function replyCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  if (scriptRefusal.test(error.message)) return 'NOPERM';
  // Before version 7 of Redis, the reply of a command inside a script has a prefix.
  const nested = /^ERR Error running script.*: -?([A-Z]{2,})\b/s.exec(error.message)?.[1];
  return nested ?? /^([A-Z]+)\b/.exec(error.message)?.[1];
}

/** Returns whether an error reply means that another server is responsible now. */
export function isWrongServer(error: unknown): boolean {
  return wrongServerCodes.has(replyCodeOf(error) ?? '');
}

/**
 * Returns whether an error is an outage of Redis, so that a retry may succeed. Outages are a missing connection, a missing
 * reply, and refusals such as out of memory or a failover. A rejected transaction is an outage if all its commands were.
 */
export function isRedisOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (clientErrors.has(error.name) || clientMessages.test(error.message)) return true;
  const code = replyCodeOf(error);
  if (code === undefined) return isConnectionFault(error);
  if (code === 'EXECABORT') return previousErrorsOf(error).every(isRedisOutage);
  return outageCodes.has(code) || error.message.startsWith('ERR max number of clients');
}

/** System and TLS errors of a socket carry a code, such as ECONNREFUSED, EPIPE or CERT_HAS_EXPIRED. */
function isConnectionFault(error: Error): boolean {
  return 'syscall' in error || /^(E[A-Z]+|CERT_[A-Z_]+|ERR_(TLS|SSL)_[A-Z_]+)$/.test(systemCode(error) ?? '');
}

/** Returns the errors of the commands of a rejected transaction; one `undefined` if they are unknown. */
export function previousErrorsOf(error: Error): readonly unknown[] {
  const found = 'previousErrors' in error ? error.previousErrors : undefined;
  return Array.isArray(found) && found.length > 0 ? found : [undefined];
}
