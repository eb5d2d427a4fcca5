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
import { type Delivery, sendAgain } from '../../domain/webhook-delivery.ts';
import { type DeliveryView, viewDelivery } from '../../domain/webhook-view.ts';
import { enqueueDelivery } from './enqueue-delivery.ts';
import { findEndpoint } from './manage-endpoints.ts';
import { findDelivery } from './read-deliveries.ts';

interface Deps {
  deliveries: Deliveries;
  events: WebhookEvents;
  endpoints: WebhookEndpoints;
  deliveryQueues: DeliveryQueues;
  webhookQueue: TaskQueue;
  clock: Clock;
  log: Log;
}

const pageSize = 100;

/**
 * Sends again what was sent or given up before: the same bytes under the same `webhook-id`, by a fresh schedule that
 * starts at once.
 */
export function createRedeliver(deps: Deps) {
  async function checkIsEnabled(tenant: string, endpointId: string): Promise<void> {
    const endpoint = await deps.endpoints.get(tenant, endpointId);
    if (endpoint && !endpoint.disabled) return;
    const detail = endpoint
      ? 'The endpoint is switched off. Enable it first: PATCH it with {"disabled": false}.'
      : 'The endpoint of this delivery was removed.';
    throw new AppError('endpoint_disabled', { detail });
  }

  /** @returns `null` when its bytes are gone. */
  async function restart(delivery: Delivery): Promise<Delivery | null> {
    if ((await deps.events.body(delivery.tenant, delivery.eventId)) === null) return null;
    return deps.deliveries.update(delivery, (now) => sendAgain(now, deps.clock()));
  }

  async function dispatchTask(tenant: string, destinationKey: string): Promise<void> {
    // Whoever asks knows that the receiver works again.
    await deps.deliveryQueues.resetBreaker(tenant, destinationKey);
    await enqueueDelivery(deps, tenant, await deps.deliveryQueues.dispatchTask(tenant, destinationKey));
  }

  return {
    /** @throws AppError `not_found`; `endpoint_disabled`; `erased` when what was sent is no longer kept. */
    async one(tenant: string, id: string): Promise<DeliveryView> {
      const delivery = await findDelivery(deps.deliveries, tenant, id);
      if (delivery.endpointId) await checkIsEnabled(tenant, delivery.endpointId);
      const again = await restart(delivery);
      if (!again) throw new AppError('erased', { detail: 'What this delivery sent is no longer kept.' });
      await dispatchTask(tenant, delivery.destinationKey);
      const [attempts] = await deps.deliveries.attempts(tenant, [id]);
      return viewDelivery(again, attempts ?? []);
    },

    /**
     * All that an endpoint missed since a moment.
     *
     * @returns how many deliveries were started again.
     * @throws AppError `not_found`, `endpoint_disabled`
     */
    async recover(tenant: string, endpointId: string, sinceMs: number): Promise<number> {
      await findEndpoint(deps.endpoints, tenant, endpointId);
      await checkIsEnabled(tenant, endpointId);
      let restarted = 0;
      for (let beforeId: string | undefined; ; ) {
        const query = { destinationKey: endpointId, status: 'failed' as const, limit: pageSize, beforeId };
        const page = await deps.deliveries.list(tenant, query);
        // Newest event first: from here on all are older.
        const missed = page.deliveries.filter(({ at }) => at >= sinceMs);
        const results = await Promise.all(missed.map(restart));
        restarted += results.filter((each) => each !== null).length;
        const isPast = missed.length < page.deliveries.length;
        if (isPast || page.nextBeforeId === null) break;
        beforeId = page.nextBeforeId;
      }
      if (restarted > 0) await dispatchTask(tenant, endpointId);
      return restarted;
    },
  };
}
export type Redeliver = ReturnType<typeof createRedeliver>;
