import { AppError } from '../../domain/errors.ts';
import type {
  Clock,
  Deliveries,
  DeliveryQueues,
  Log,
  TaskQueue,
  WebhookEndpoints,
  WebhookEvents,
} from '../../domain/ports.ts';
import { type Delivery, restartSchedule } from '../../domain/webhook-delivery.ts';
import { enqueueDelivery } from './enqueue-delivery.ts';

interface Deps {
  readonly deliveries: Deliveries;
  readonly events: WebhookEvents;
  readonly endpoints: WebhookEndpoints;
  readonly deliveryQueues: DeliveryQueues;
  readonly webhookQueue: TaskQueue;
  readonly clock: Clock;
  readonly log: Log;
}

/** Steps of a redelivery that a caller requested. */
export function createRetryDelivery(deps: Deps) {
  return {
    /** @throws AppError `endpoint_disabled` if the endpoint is disabled or removed. */
    async checkEndpoint(tenant: string, endpointId: string): Promise<void> {
      const endpoint = await deps.endpoints.get(tenant, endpointId);
      if (endpoint && !endpoint.disabled) return;
      const detail = endpoint
        ? 'The endpoint is disabled. Enable it first: PATCH it with {"disabled": false}.'
        : 'The endpoint of this delivery was removed.';
      throw new AppError('endpoint_disabled', { detail });
    },
    /** Restarts the schedule of a delivery. @returns `null` if its event has expired or was erased. */
    async restart(delivery: Delivery): Promise<Delivery | null> {
      if (!(await deps.events.hasContent(delivery.tenant, delivery.eventId))) return null;
      return deps.deliveries.update(delivery, (now) => restartSchedule(now, deps.clock()));
    },
    /** Starts a delivery run, and resets the circuit breaker, because the caller expects the destination to work. */
    async enqueue(tenant: string, destinationKey: string): Promise<void> {
      await deps.deliveryQueues.resetBreaker(tenant, destinationKey);
      await enqueueDelivery(deps, tenant, await deps.deliveryQueues.dispatchTask(tenant, destinationKey));
    },
  };
}
export type RetryDelivery = ReturnType<typeof createRetryDelivery>;
