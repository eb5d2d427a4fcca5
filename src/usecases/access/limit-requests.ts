import type { Caller } from '../../domain/api-key.ts';
import type { RequestLimits } from '../../domain/ports.ts';
import type { Quota } from '../../domain/quota.ts';
import { tooManyRequests } from '../../domain/too-many-requests.ts';

/**
 * Creates the check of requests per minute, of the key and of its tenant. Every authenticated request counts. Without a limit
 * nothing is counted and the store is not called.
 *
 * @returns a function that returns the state of each limit.
 * @throws AppError `too_many_requests`; `store_unavailable`, never a limit, if the store is down.
 */
export function createLimitRequests({ requestLimits }: { requestLimits: RequestLimits }) {
  return async (caller: Caller): Promise<readonly Quota[]> => {
    const { key, tenant } = caller.policy;
    const limits = [
      ...limitOf('key', key.limits?.requestsPerMinute),
      ...limitOf('tenant', tenant.limits?.requestsPerMinute),
    ];
    if (limits.length === 0) return [];
    const { quotas, refused } = await requestLimits.take(caller, limits);
    if (!refused) return quotas;
    throw tooManyRequests(refused.quota, { quotas, retryAfterSeconds: Math.ceil(refused.waitMs / 1000) });
  };
}
export type LimitRequests = ReturnType<typeof createLimitRequests>;

const limitOf = (owner: Quota['owner'], limit: number | undefined) =>
  limit === undefined || limit < 1 ? [] : [{ owner, limit }];
