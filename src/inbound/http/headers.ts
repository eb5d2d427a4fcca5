import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../../domain/errors.ts';
import { ulid } from '../../lib/ids.ts';

/** Maximum wait of one request, in seconds. Common load balancers close a connection after 60 s. */
export const maxWaitSeconds = 55;

/** Returns the caller's request id if it is short and plain, otherwise a new one. The id goes into logs and headers. */
export function requestIdFrom(header: string | string[] | undefined, nowMs: number): string {
  if (typeof header === 'string' && /^[A-Za-z0-9._:-]{1,128}$/.test(header)) return header;
  return `req_${ulid(nowMs)}`;
}

/** Whether a body is JSON by its content type. */
export const hasJsonType = (headers: IncomingHttpHeaders): boolean =>
  /^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '');

/** Returns a W3C trace context header, or `undefined` if it is malformed. */
export function traceparentFrom(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined;
  return /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(header) ? header : undefined;
}

/** Returns the trace id of a trace context header. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return traceparent?.slice(3, 35);
}

/**
 * Reads the Idempotency-Key: 1 to 255 visible ASCII characters, bare or as a quoted string
 * (draft-ietf-httpapi-idempotency-key-header).
 *
 * @throws AppError `invalid_idempotency_key`
 */
export function idempotencyKeyFrom(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const bare = typeof header === 'string' ? header.replace(/^"(.*)"$/, '$1') : '';
  const isHalfQuoted = bare === header && /^"|"$/.test(bare);
  if (isHalfQuoted || !/^[\x21-\x7e]{1,255}$/.test(bare)) {
    throw new AppError('invalid_idempotency_key', {
      detail: 'Send one Idempotency-Key of 1 to 255 visible ASCII characters without spaces.',
      issues: [{ pointer: '/headers/idempotency-key', detail: 'must be 1 to 255 visible ASCII characters' }],
    });
  }
  return bare;
}

export interface Preferences {
  /** Seconds to wait before the response, at most `maxWaitSeconds`. */
  readonly waitSeconds: number;
  /** Value of Preference-Applied, or `null` for no header. */
  readonly applied: string | null;
  /** Whether the caller wants the job instead of its result if the result takes longer than the wait. */
  readonly isAsync: boolean;
}

const noPreferences: Preferences = { waitSeconds: 0, applied: null, isAsync: false };

/** Matches one preference of a list. A comma within quotes does not end it, and an unclosed quote is allowed. */
const anyPreference = /(?:"(?:[^"\\]|\\.)*"?|[^,"])+/g;

/**
 * Reads the Prefer header (RFC 7240): `wait=N` and `respond-async`, with any parameters. Other preferences are ignored,
 * as the RFC demands.
 */
export function preferencesFrom(header: string | string[] | undefined): Preferences {
  if (header === undefined) return noPreferences;
  const list = Array.isArray(header) ? header.join(',') : header;
  const preferences = (list.match(anyPreference) ?? []).map(
    (preference) => preference.split(';', 1)[0]?.trim().toLowerCase() ?? '',
  );
  const isAsync = preferences.includes('respond-async');
  for (const preference of preferences) {
    const match = /^wait\s*=\s*("?)([0-9]+)\1$/.exec(preference);
    if (!match) continue;
    const waitSeconds = Math.min(Number(match[2]), maxWaitSeconds);
    return { waitSeconds, applied: `wait=${waitSeconds}`, isAsync };
  }
  // A request with both preferences waits first (section 4.3). Without a wait the response is always asynchronous.
  return { waitSeconds: 0, applied: isAsync ? 'respond-async' : null, isAsync };
}

/** Returns whether an If-None-Match header names an entity tag, by weak comparison (RFC 9110, section 8.8.3.2). */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '');
  return header.trim() === '*' || header.split(',').some((tag) => opaque(tag) === opaque(etag));
}
