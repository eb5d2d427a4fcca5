import type { Deliveries, DeliveryQuery } from '../../domain/ports.ts';
import type { DeliveryView } from '../../domain/webhook-view.ts';
import type { PresentDeliveries } from './present-deliveries.ts';

interface Deps {
  readonly deliveries: Deliveries;
  readonly presentDeliveries: PresentDeliveries;
}

/** Returns a page of deliveries with their attempts, newest event first. */
export function createListDeliveries(deps: Deps) {
  return async (
    tenant: string,
    query: DeliveryQuery,
  ): Promise<{ deliveries: DeliveryView[]; nextBeforeId: string | null }> => {
    const { deliveries, nextBeforeId } = await deps.deliveries.list(tenant, query);
    return { deliveries: await deps.presentDeliveries(tenant, deliveries), nextBeforeId };
  };
}
export type ListDeliveries = ReturnType<typeof createListDeliveries>;
