import { AppError } from '../../domain/errors.ts';
import type { Deliveries } from '../../domain/ports.ts';
import type { DeliveryView } from '../../domain/webhook-view.ts';
import { getDelivery, type PresentDeliveries } from './present-deliveries.ts';
import type { RetryDelivery } from './retry-delivery.ts';

interface Deps {
  readonly deliveries: Deliveries;
  readonly presentDeliveries: PresentDeliveries;
  readonly retryDelivery: RetryDelivery;
}

/**
 * Sends the event of a delivery again, whatever the status of the delivery: same event, same `webhook-id`, and a new
 * schedule that starts immediately.
 *
 * @throws AppError `not_found`; `endpoint_disabled`; `erased` if the event has expired.
 */
export function createRedeliver({ deliveries, presentDeliveries, retryDelivery }: Deps) {
  return async (tenant: string, id: string): Promise<DeliveryView> => {
    const delivery = await getDelivery(deliveries, tenant, id);
    if (delivery.endpointId) await retryDelivery.checkEndpoint(tenant, delivery.endpointId);
    const restarted = await retryDelivery.restart(delivery);
    if (!restarted) throw new AppError('erased', { detail: 'The event of this delivery has expired.' });
    await retryDelivery.enqueue(tenant, delivery.destinationKey);
    const [view] = await presentDeliveries(tenant, [restarted]);
    if (!view) throw new Error('a delivery without a view');
    return view;
  };
}
export type Redeliver = ReturnType<typeof createRedeliver>;
