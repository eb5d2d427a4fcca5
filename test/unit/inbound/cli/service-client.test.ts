import { describe, expect, it } from 'vitest';
import { errorOf } from '../../../../clients/typescript/src/errors.ts';
import { describeFailure, isRefusal, retryAfterMsOf } from '../../../../src/inbound/cli/describe-failure.ts';
import { isConnectionError, mayHaveArrived } from '../../../../src/inbound/cli/service-client.ts';

const problem = (status: number, fields: Record<string, unknown>, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ errors: [], ...fields }), { status, headers });

describe('an error response', () => {
  it.each([400, 401, 403, 404, 409, 413, 422])(
    'treats status %i without a problem body as a refusal',
    async (status) => {
      expect(isRefusal(await errorOf(new Response('<html>', { status })))).toBe(true);
    },
  );

  it.each([408, 425, 429, 500, 502, 503, 504, 520, 524])(
    'treats status %i without a problem body as an unknown outcome, because proxies send it',
    async (status) => {
      expect(isRefusal(await errorOf(new Response('<html>', { status })))).toBe(false);
    },
  );

  it('reads from a problem body whether and when a retry is allowed', async () => {
    const fields = { code: 'queue_full', detail: 'Full.', retryable: true };
    const passing = await errorOf(problem(503, fields, { 'retry-after': '7' }));
    expect([isRefusal(passing), retryAfterMsOf(passing)]).toEqual([false, 7_000]);
    const dated = await errorOf(
      problem(503, fields, { 'retry-after': new Date(Date.now() + 9_000).toUTCString() }),
    );
    expect(retryAfterMsOf(dated)).toBeGreaterThan(7_000);
    const final = await errorOf(problem(500, { ...fields, retryable: false }));
    expect([isRefusal(final), retryAfterMsOf(final)]).toEqual([true, undefined]);
  });

  it('lists the invalid fields, and what to do about a refused key', async () => {
    const errors = [{ pointer: '/size', detail: 'is too large' }];
    const invalid = { code: 'validation_failed', detail: 'No.', retryable: false, errors };
    expect(describeFailure(await errorOf(problem(422, invalid)))).toBe(
      'validation_failed: No.\n  /size: is too large',
    );
    const refused = { code: 'unauthorized', detail: 'No key.', retryable: false };
    expect(describeFailure(await errorOf(problem(401, refused)))).toMatch(
      /^unauthorized: No key\.\nSet DARKROOM_API_KEY/,
    );
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
