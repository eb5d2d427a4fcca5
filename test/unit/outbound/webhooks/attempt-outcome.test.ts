import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/errors.ts';
import { verdictOnError, verdictOnStatus } from '../../../../src/outbound/webhooks/attempt-outcome.ts';

const withCode = (code: string, message = 'x') => Object.assign(new Error(message), { code });

describe('verdictOnStatus', () => {
  it.each([200, 201, 202, 204, 299])('treats status %i as delivered', (status) => {
    expect(verdictOnStatus(status, '9', 0)).toEqual({ status, outcome: 'delivered' });
  });

  it.each([300, 301, 302, 303, 304, 307, 308, 399])('treats status %i as a refused redirect', (status) => {
    expect(verdictOnStatus(status, undefined, 0).outcome).toBe('redirect_refused');
  });

  it('treats 410 as gone and classifies any other status by its number', () => {
    expect(verdictOnStatus(410, undefined, 0).outcome).toBe('gone');
    for (const status of [400, 401, 404, 413, 429, 500, 503, 600, 999]) {
      const detail = expect.stringContaining(`responded with ${status}: `);
      expect(verdictOnStatus(status, undefined, 0)).toEqual({ status, outcome: `http_${status}`, detail });
    }
  });

  it('reads Retry-After only on 429, 502, 503 and 504', () => {
    for (const status of [429, 502, 503, 504])
      expect(verdictOnStatus(status, '9', 0).retryAfterMs).toBe(9_000);
    for (const status of [200, 301, 400, 410, 500]) {
      expect(verdictOnStatus(status, '9', 0)).not.toHaveProperty('retryAfterMs');
    }
  });
});

describe('verdictOnError', () => {
  it.each([
    ['ENOTFOUND', 'dns_error'],
    ['EAI_AGAIN', 'dns_error'],
    ['ECONNREFUSED', 'connection_refused'],
    ['EHOSTUNREACH', 'connection_refused'],
    ['ECONNRESET', 'connection_reset'],
    ['EPIPE', 'connection_reset'],
    ['UND_ERR_SOCKET', 'connection_reset'],
    ['ETIMEDOUT', 'timeout'],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
    ['CERT_HAS_EXPIRED', 'tls_error'],
    ['HOSTNAME_MISMATCH', 'tls_error'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls_error'],
    ['EPROTO', 'tls_error'],
    ['HPE_INVALID_CONSTANT', 'protocol_error'],
    ['UND_ERR_HEADERS_OVERFLOW', 'protocol_error'],
    ['SOMETHING_NEW', 'protocol_error'],
  ])('classifies the error %s as %s', (code, outcome) => {
    const verdict = verdictOnError(withCode(code));
    expect(verdict).toEqual({ status: null, outcome, detail: expect.stringMatching(/\.$/) });
  });

  it('classifies an unexpected response as a protocol error instead of a reset', () => {
    expect(verdictOnError(withCode('UND_ERR_SOCKET', 'bad response')).outcome).toBe('protocol_error');
  });

  it('retains the message of a destination that the guard refuses', () => {
    const error = new AppError('destination_forbidden', { detail: 'Port 22 may not be called.' });
    expect(verdictOnError(error)).toEqual({
      status: null,
      outcome: 'address_forbidden',
      detail: error.message,
    });
  });

  it.each(['EMFILE', 'ENOMEM', 'UND_ERR_CLOSED', 'UND_ERR_INVALID_ARG'])(
    'rethrows %s, because the fault is in this process',
    (code) => {
      const error = withCode(code);
      expect(() => verdictOnError(error)).toThrow(error);
    },
  );
});
