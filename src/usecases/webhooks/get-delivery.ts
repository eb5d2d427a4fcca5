import type { Deliveries } from '../../domain/ports.ts';
import type { DeliveryView } from '../../domain/webhook-view.ts';
import { getDelivery, type PresentDeliveries } from './present-deliveries.ts';

interface Deps {
  readonly deliveries: Deliveries;
  readonly presentDeliveries: PresentDeliveries;
}

/** Returns one delivery with its attempts. @throws AppError `not_found` */
export function createGetDelivery({ deliveries, presentDeliveries }: Deps) {
  return async (tenant: string, id: string): Promise<DeliveryView> => {
    const [view] = await presentDeliveries(tenant, [await getDelivery(deliveries, tenant, id)]);
    if (!view) throw new Error('a delivery without a view');
    return view;
  };
}
export type GetDelivery = ReturnType<typeof createGetDelivery>;
