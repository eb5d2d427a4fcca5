import { systemCode } from '../system-code.ts';
import { previousErrorsOf, replyCodeOf } from './redis-errors.ts';

const byReply: ReadonlyMap<string, string> = new Map(
  Object.entries({
    WRONGPASS: 'wrong password or user name in REDIS_URL',
    NOAUTH: 'Redis requires a password; add it to REDIS_URL',
    READONLY: 'the server is a read-only replica',
    LOADING: 'the server is loading its data',
    MASTERDOWN: 'the server is a replica without a primary',
    CLUSTERDOWN: 'the cluster is down',
    OOM: 'refuses writes: out of memory (OOM)',
  }),
);

const bySystem: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ECONNREFUSED: 'connection refused',
    ENOTFOUND: 'host name not found',
    EAI_AGAIN: 'host name lookup failed',
    ENOENT: 'socket file not found',
    EPIPE: 'the server closed the connection; its limit of connections (maxclients) may be reached',
    ECONNRESET: 'the server closed the connection; it may require TLS (rediss://)',
    ETIMEDOUT: 'no reply to the connection attempt; check host, port and TLS (redis:// or rediss://)',
    EPROTO: 'TLS failed; the server may not use TLS (redis:// instead of rediss://)',
    ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not use TLS; write redis:// instead of rediss://',
    ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the server does not use TLS; write redis:// instead of rediss://',
    ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host name',
  }),
);

/** Describes why a connection is unusable, for operators. The text contains no address, user name or password. */
export function describeConnectionFault(error: unknown): string {
  if (!(error instanceof Error)) return 'cannot be reached';
  const { message, name } = error;
  if (message.includes('max number of clients'))
    return 'the server has reached its limit of connections (maxclients)';
  if (name === 'ParserError' || /^(Protocol error|Unknown RESP type)/.test(message))
    return 'the server does not speak the Redis protocol';
  const reply = replyCodeOf(error);
  if (reply === 'EXECABORT') return describeConnectionFault(previousErrorsOf(error)[0]);
  if (reply === 'NOPERM') return describePermission(message);
  if (reply !== undefined) return byReply.get(reply) ?? `refuses commands: ${message}`;
  const code = systemCode(error) ?? '';
  const known = bySystem.get(code);
  if (known !== undefined) return known;
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) return `the certificate is not trusted (${code})`;
  return 'cannot be reached';
}

/** Names what a Redis user lacks, without the name of the user, which some servers repeat. */
function describePermission(message: string): string {
  if (message.includes('channel')) return 'the Redis user may not use the channels of the service; add &*';
  if (/\bkeys?\b/.test(message)) return 'the Redis user may not use the keys of the service; add ~*';
  const command = /'([a-z]{1,30}(?:\|[a-z-]{1,30})?)' (?:sub)?command/.exec(message)?.[1];
  return `the Redis user may not run ${command ? `the command ${command}` : 'a required command'}`;
}
