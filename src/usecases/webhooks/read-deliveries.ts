import type { DestinationHealth } from '../../domain/destination-health.ts';
import { AppError } from '../../domain/errors.ts';
import type { Deliveries, DeliveryQuery, DeliveryQueues } from '../../domain/ports.ts';
import type { Delivery } from '../../domain/webhook-delivery.ts';
import { type DeliveryView, viewDelivery } from '../../domain/webhook-view.ts';

/** Finds a delivery. @throws AppError `not_found`, also for another tenant's. */
export async function findDelivery(deliveries: Deliveries, tenant: string, id: string): Promise<Delivery> {
  const delivery = await deliveries.get(tenant, id);
  if (!delivery) throw new AppError('not_found', { detail: 'There is no webhook delivery with this id.' });
  return delivery;
}

/** Shows the log of deliveries, every attempt included. */
export function createReadDeliveries(deps: { deliveries: Deliveries; deliveryQueues: DeliveryQueues }) {
  /** How the receivers of what is still to be delivered do. */
  async function healthOf(
    tenant: string,
    found: readonly Delivery[],
  ): Promise<Map<string, DestinationHealth>> {
    const waiting = found.filter(({ dueAt }) => dueAt !== undefined);
    const destinationKeys = [...new Set(waiting.map(({ destinationKey }) => destinationKey))];
    const health = await deps.deliveryQueues.health(tenant, destinationKeys);
    return new Map(
      destinationKeys.flatMap((destinationKey, i) =>
        health[i] ? [[destinationKey, health[i]] as const] : [],
      ),
    );
  }

  async function show(tenant: string, found: readonly Delivery[]): Promise<DeliveryView[]> {
    const attempts = await deps.deliveries.attempts(
      tenant,
      found.map(({ id }) => id),
    );
    const health = await healthOf(tenant, found);
    return found.map((delivery, i) =>
      viewDelivery(delivery, attempts[i] ?? [], health.get(delivery.destinationKey)),
    );
  }

  return {
    async get(tenant: string, id: string): Promise<DeliveryView> {
      const [view] = await show(tenant, [await findDelivery(deps.deliveries, tenant, id)]);
      if (!view) throw new Error('one delivery has one view');
      return view;
    },
    async list(tenant: string, query: DeliveryQuery) {
      const { deliveries, nextBeforeId } = await deps.deliveries.list(tenant, query);
      return { deliveries: await show(tenant, deliveries), nextBeforeId };
    },
  };
}
export type ReadDeliveries = ReturnType<typeof createReadDeliveries>;
