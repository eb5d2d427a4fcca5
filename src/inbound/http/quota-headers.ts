import { nameOfQuota, type Quota, requestWindowSeconds } from '../../domain/quota.ts';

/**
 * Returns `RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-11: lists of strings with parameters
 * (RFC 9651). The names are letters and hyphens, so they need no escapes.
 */
export function quotaHeaders(quotas: readonly Quota[]): Record<string, string> {
  if (quotas.length === 0) return {};
  const policies = quotas.map((quota) => {
    const { unit, limit } = quota;
    const more = unit === 'requests' ? `;w=${requestWindowSeconds}` : `;qu="${unit}"`;
    return `"${nameOfQuota(quota)}";q=${limit}${more}`;
  });
  const states = quotas.map((quota) => {
    const { remaining, resetSeconds } = quota;
    return `"${nameOfQuota(quota)}";r=${remaining}${resetSeconds === undefined ? '' : `;t=${resetSeconds}`}`;
  });
  return { 'ratelimit-policy': policies.join(', '), ratelimit: states.join(', ') };
}

/** Returns the headers that clients of OpenAI's API read, for the limit of requests with the fewest remaining. */
export function openAiQuotaHeaders(quotas: readonly Quota[]): Record<string, string> {
  const [tightest] = quotas
    .filter(({ unit }) => unit === 'requests')
    .toSorted((a, b) => a.remaining - b.remaining);
  if (!tightest) return {};
  const { limit, remaining, resetSeconds = 0 } = tightest;
  return {
    'x-ratelimit-limit-requests': String(limit),
    'x-ratelimit-remaining-requests': String(remaining),
    'x-ratelimit-reset-requests': `${resetSeconds}s`,
  };
}
