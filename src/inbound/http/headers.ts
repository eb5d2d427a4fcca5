import { AppError } from '../../domain/errors.ts';
import { ulid } from '../../lib/ids.ts';

/** Longest wait of one request: below the 60 s at which common load balancers cut. */
export const maxWaitSeconds = 55;

/** A request id is taken over only when it is short and plain, since it goes into logs and headers. */
export function requestIdFrom(header: string | string[] | undefined, nowMs: number): string {
  if (typeof header === 'string' && /^[A-Za-z0-9._:-]{1,128}$/.test(header)) return header;
  return `req_${ulid(nowMs)}`;
}

/** A W3C trace context header, or nothing when it is not one. */
export function traceparentFrom(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined;
  return /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(header) ? header : undefined;
}

/** The trace id of a trace context header. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return traceparent?.slice(3, 35);
}

/**
 * The Idempotency-Key: 1 to 255 visible ASCII characters, bare or as a quoted string (draft-ietf-httpapi-idempotency-key-header).
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
  /** Seconds to hold the answer, at most `maxWaitSeconds`. */
  readonly waitSeconds: number;
  /** What to say in Preference-Applied, if anything. */
  readonly applied: string | null;
}

const noPreferences: Preferences = { waitSeconds: 0, applied: null };

/** One preference of a list; a comma within quotes does not end it. A quote need not end, so that nothing is read twice. */
const anyPreference = /(?:"(?:[^"\\]|\\.)*"?|[^,"])+/g;

/**
 * The Prefer header (RFC 7240): `wait=N` and `respond-async`, whatever parameters follow them; what is not understood is
 * ignored, as it demands.
 */
export function preferencesFrom(header: string | string[] | undefined): Preferences {
  if (header === undefined) return noPreferences;
  const list = Array.isArray(header) ? header.join(',') : header;
  const preferences = (list.match(anyPreference) ?? []).map(
    (preference) => preference.split(';', 1)[0]?.trim().toLowerCase() ?? '',
  );
  for (const preference of preferences) {
    const match = /^wait\s*=\s*("?)([0-9]+)\1$/.exec(preference);
    if (!match) continue;
    const waitSeconds = Math.min(Number(match[2]), maxWaitSeconds);
    return { waitSeconds, applied: `wait=${waitSeconds}` };
  }
  // With both, section 4.3 has us wait first; without a wait the answer is asynchronous anyway.
  return { waitSeconds: 0, applied: preferences.includes('respond-async') ? 'respond-async' : null };
}

/** Whether an If-None-Match header names an entity tag; weak comparison (RFC 9110, section 8.8.3.2). */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '');
  return header.trim() === '*' || header.split(',').some((tag) => opaque(tag) === opaque(etag));
}
