import { AppError } from '../../domain/errors.ts';
import type { WebhookResponse } from '../../domain/ports.ts';
import { retryAfterMs } from './retry-after.ts';

type Verdict = Omit<WebhookResponse, 'latencyMs' | 'sentHeaders' | 'excerpt'>;

/** Statuses for which `Retry-After` is read. */
const throttlingStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * Returns the outcome of a response by its status (Standard Webhooks 1.0.0). Only 2xx is a success. A redirect is a
 * failure. 410 means that the endpoint wants no more webhooks.
 */
export function verdictOnStatus(
  status: number,
  retryAfter: string | string[] | undefined,
  nowMs: number,
): Verdict {
  if (status >= 200 && status < 300) return { status, outcome: 'delivered' };
  if (status >= 300 && status < 400) {
    const detail = `The endpoint responded with ${status}. Redirects are not followed. Register the final address.`;
    return { status, outcome: 'redirect_refused', detail };
  }
  if (status === 410) {
    return { status, outcome: 'gone', detail: 'The endpoint responded with 410: it wants no more webhooks.' };
  }
  const waitMs = throttlingStatuses.has(status) ? retryAfterMs(retryAfter, nowMs) : undefined;
  const detail = `The endpoint responded with ${status}: ${hints[status] ?? 'only 2xx counts as delivered.'}`;
  return { status, outcome: `http_${status}`, detail, ...(waitMs !== undefined && { retryAfterMs: waitMs }) };
}

/** Explanations of common refusals, by status. */
const hints: Readonly<Record<number, string>> = {
  401: 'it requires credentials. Webhooks carry only their signature.',
  403: 'something in front of it may block requests without a browser or from our network.',
  404: 'nothing is at this path.',
  405: 'it does not accept POST at this path.',
  413: 'its limit for bodies is below the size of this event.',
  415: 'it does not accept application/json.',
  429: 'it limits the rate of requests.',
};

/**
 * Returns the outcome of an attempt without a status, by the error codes of Node, OpenSSL and undici.
 *
 * @throws the error itself if it is a fault of this service (no file descriptors, closed sender, malformed call).
 */
export function verdictOnError(error: unknown): Verdict {
  if (error instanceof AppError && error.code === 'destination_forbidden') {
    return { status: null, outcome: 'address_forbidden', detail: error.message };
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (ownFaults.has(code) || !(error instanceof Error)) throw error;
  const known = networkFailures[code];
  if (known) return { status: null, outcome: known[0], detail: known[1] };
  if (isTlsCode(code)) {
    const detail = certificateFaults[code] ?? `The TLS connection could not be made (${code}).`;
    return { status: null, outcome: 'tls_error', detail };
  }
  if (code === 'UND_ERR_SOCKET' && !error.message.startsWith('bad ')) {
    return {
      status: null,
      outcome: 'connection_reset',
      detail: 'The endpoint closed the connection without a response.',
    };
  }
  const detail = `The endpoint did not respond in HTTP/1.1 (${code || error.name}).`;
  return { status: null, outcome: 'protocol_error', detail };
}

const ownFaults: ReadonlySet<string> = new Set([
  ...['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'],
  ...['UND_ERR_CLOSED', 'UND_ERR_DESTROYED', 'UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED'],
]);

const unresolved = [
  'dns_error',
  'The host name does not resolve. Check the spelling and the DNS records.',
] as const;
const noDnsResponse = ['dns_error', 'The name servers did not respond for this host.'] as const;
const refused = ['connection_refused', 'Nothing accepts connections at this address and port.'] as const;
const unreachable = ['connection_refused', 'There is no route to the address of this host.'] as const;
const reset = ['connection_reset', 'The endpoint broke the connection off.'] as const;
const noConnection = ['timeout', 'No connection was made in time.'] as const;

const networkFailures: Readonly<Record<string, readonly [outcome: string, detail: string]>> = {
  ENOTFOUND: unresolved,
  ENODATA: unresolved,
  EAI_NODATA: unresolved,
  EAI_NONAME: unresolved,
  EAI_AGAIN: noDnsResponse,
  EAI_FAIL: noDnsResponse,
  ESERVFAIL: noDnsResponse,
  ETIMEOUT: noDnsResponse,
  ECONNREFUSED: refused,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  EADDRNOTAVAIL: unreachable,
  EACCES: unreachable,
  EPERM: unreachable,
  ECONNRESET: reset,
  ECONNABORTED: reset,
  EPIPE: reset,
  ETIMEDOUT: noConnection,
  UND_ERR_CONNECT_TIMEOUT: noConnection,
};

const certificateFaults: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'The certificate of the endpoint has expired.',
  CERT_NOT_YET_VALID: 'The certificate of the endpoint is not valid yet.',
  CERT_REVOKED: 'The certificate of the endpoint was revoked.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'The certificate of the endpoint is self-signed.',
  SELF_SIGNED_CERT_IN_CHAIN:
    'The certificate of the endpoint comes from an authority that is not trusted here.',
  UNABLE_TO_GET_ISSUER_CERT: 'The endpoint does not send its whole certificate chain.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'The certificate chain of the endpoint is incomplete or not trusted here.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'The certificate chain of the endpoint is incomplete or not trusted here.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate of the endpoint is for another host name.',
};

/**
 * Returns whether a code is one of OpenSSL's handshake or verification codes. Some Node versions report a broken
 * handshake as `EPROTO`.
 */
function isTlsCode(code: string): boolean {
  return (
    code in certificateFaults ||
    code === 'EPROTO' ||
    /^(ERR_SSL_|ERR_TLS_|ERROR_IN_CERT_|CERT_|CRL_|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_)/.test(
      code,
    )
  );
}
