import type { DestinationHealth } from '../../domain/destination-health.ts';
import { AppError } from '../../domain/errors.ts';
import type { Deliveries, DeliveryQueues } from '../../domain/ports.ts';
import type { Delivery } from '../../domain/webhook-delivery.ts';
import { type DeliveryView, viewDelivery } from '../../domain/webhook-view.ts';

interface Deps {
  readonly deliveries: Deliveries;
  readonly deliveryQueues: DeliveryQueues;
}

/** Presents deliveries of a tenant with their attempts, in the given sequence. */
export function createPresentDeliveries({ deliveries, deliveryQueues }: Deps) {
  /** Returns the health of the destinations of pending deliveries: it decides about the next attempt. */
  async function healthOf(
    tenant: string,
    found: readonly Delivery[],
  ): Promise<Map<string, DestinationHealth | undefined>> {
    const pending = found.filter(({ dueAt }) => dueAt !== undefined);
    const destinationKeys = [...new Set(pending.map(({ destinationKey }) => destinationKey))];
    const health = await deliveryQueues.health(tenant, destinationKeys);
    return new Map(destinationKeys.map((destinationKey, i) => [destinationKey, health[i]]));
  }

  return async (tenant: string, found: readonly Delivery[]): Promise<DeliveryView[]> => {
    const attempts = await deliveries.attempts(
      tenant,
      found.map(({ id }) => id),
    );
    const health = await healthOf(tenant, found);
    return found.map((delivery, i) =>
      viewDelivery(delivery, attempts[i] ?? [], health.get(delivery.destinationKey)),
    );
  };
}
export type PresentDeliveries = ReturnType<typeof createPresentDeliveries>;

/** Returns a delivery. @throws AppError `not_found`, also for a delivery of another tenant. */
export async function getDelivery(deliveries: Deliveries, tenant: string, id: string): Promise<Delivery> {
  const delivery = await deliveries.get(tenant, id);
  if (!delivery) throw new AppError('not_found', { detail: 'There is no webhook delivery with this id.' });
  return delivery;
}
