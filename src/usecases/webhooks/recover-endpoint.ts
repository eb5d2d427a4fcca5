import type { Deliveries, WebhookEndpoints } from '../../domain/ports.ts';
import { getEndpoint } from './manage-endpoints.ts';
import type { RetryDelivery } from './retry-delivery.ts';

interface Deps {
  readonly endpoints: WebhookEndpoints;
  readonly deliveries: Deliveries;
  readonly retryDelivery: RetryDelivery;
}

const pageSize = 100;

/**
 * Restarts every failed delivery of an endpoint whose event happened at or after a time.
 *
 * @returns the number of restarted deliveries.
 * @throws AppError `not_found`, `endpoint_disabled`
 */
export function createRecoverEndpoint({ endpoints, deliveries, retryDelivery }: Deps) {
  return async (tenant: string, endpointId: string, sinceMs: number): Promise<number> => {
    await getEndpoint(endpoints, tenant, endpointId);
    await retryDelivery.checkEndpoint(tenant, endpointId);
    let restarted = 0;
    for (let beforeId: string | undefined; ; ) {
      const query = { destinationKey: endpointId, status: 'failed' as const, limit: pageSize, beforeId };
      const page = await deliveries.list(tenant, query);
      const missed = page.deliveries.filter(({ at }) => at >= sinceMs);
      const results = await Promise.all(missed.map(retryDelivery.restart));
      restarted += results.filter((each) => each !== null).length;
      // Newest event first: every later page is older.
      const isPast = missed.length < page.deliveries.length;
      if (isPast || page.nextBeforeId === null) break;
      beforeId = page.nextBeforeId;
    }
    if (restarted > 0) await retryDelivery.enqueue(tenant, endpointId);
    return restarted;
  };
}
export type RecoverEndpoint = ReturnType<typeof createRecoverEndpoint>;
