import { describe, expect, it } from 'vitest';
import {
  errorOf,
  isConnectionError,
  mayHaveArrived,
  Refusal,
  TransientError,
} from '../../../../src/inbound/cli/call-errors.ts';

const problem = (status: number, fields: Record<string, unknown>, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(fields), { status, headers });

describe('an error response', () => {
  it.each([400, 401, 403, 404, 409, 413, 422])(
    'treats status %i without a problem body as a refusal',
    async (status) => {
      expect(await errorOf(new Response('<html>', { status }))).toBeInstanceOf(Refusal);
    },
  );

  it.each([408, 425, 429, 500, 502, 503, 504, 520, 524])(
    'treats status %i without a problem body as an unknown outcome, because proxies send it',
    async (status) => {
      expect(await errorOf(new Response('<html>', { status }))).toBeInstanceOf(TransientError);
    },
  );

  it('reads from a problem body whether and when a retry is allowed', async () => {
    const passing = await errorOf(problem(409, { code: 'busy', retryable: true }, { 'retry-after': '7' }));
    expect(passing).toMatchObject({ retryAfterMs: 7_000, message: expect.stringContaining('busy') });
    expect(passing).toBeInstanceOf(TransientError);
    const final = await errorOf(problem(500, { code: 'internal', retryable: false }));
    expect(final).toMatchObject({ code: 'internal' });
    expect(final).toBeInstanceOf(Refusal);
  });

  it('lists the invalid fields in the error message', async () => {
    const errors = [{ pointer: '/size', detail: 'is too large' }];
    const error = await errorOf(
      problem(422, { code: 'validation_failed', detail: 'No.', retryable: false, errors }),
    );
    expect(error.message).toBe('validation_failed: No.\n  /size: is too large');
  });

  it('names the new address in the error message of a redirect', async () => {
    const moved = new Response(null, { status: 301, headers: { location: 'https://there.example/' } });
    expect((await errorOf(moved)).message).toContain('https://there.example/');
  });
});

describe('a connection error', () => {
  const outage = (code?: string) =>
    new TypeError('fetch failed', { cause: Object.assign(new Error('why'), code ? { code } : {}) });

  it.each([
    'ECONNREFUSED',
    'ENOTFOUND',
    'UND_ERR_CONNECT_TIMEOUT',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])('treats %s as a request that was not sent', (code) => {
    expect(mayHaveArrived(outage(code))).toBe(false);
  });

  it.each(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT', 'HPE_INVALID_CONSTANT'])(
    'treats %s as a request that may have arrived',
    (code) => {
      expect(mayHaveArrived(outage(code))).toBe(true);
    },
  );

  it('treats a TypeError without a cause as a bug instead of a connection error', () => {
    expect(isConnectionError(outage())).toBe(true);
    expect(isConnectionError(new TypeError('x is not a function'))).toBe(false);
  });
});
