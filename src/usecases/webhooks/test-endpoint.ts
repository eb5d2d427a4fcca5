import { AppError } from '../../domain/errors.ts';
import type { Clock, Deliveries, Ids, WebhookEndpoints } from '../../domain/ports.ts';
import { afterAttempt, createDelivery } from '../../domain/webhook-delivery.ts';
import { type DeliveryView, viewDelivery } from '../../domain/webhook-view.ts';
import type { AttemptDelivery } from './attempt-delivery.ts';
import { getEndpoint } from './manage-endpoints.ts';
import type { ResolveDestination } from './resolve-destination.ts';

interface Deps {
  readonly endpoints: WebhookEndpoints;
  readonly deliveries: Deliveries;
  readonly resolveDestination: ResolveDestination;
  readonly attemptDelivery: AttemptDelivery;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly contentTtlMs: number;
}

/**
 * Sends `webhook.test` to an endpoint immediately and returns the endpoint's response. The single attempt is logged and
 * has no other effect: a failed test does not count towards the circuit breaker.
 *
 * @throws AppError `not_found`, `endpoint_disabled`
 */
export function createTestEndpoint(deps: Deps) {
  return async (tenant: string, id: string): Promise<DeliveryView> => {
    await getEndpoint(deps.endpoints, tenant, id);
    const destination = await deps.resolveDestination(tenant, id);
    if (destination.inactive) {
      throw new AppError('endpoint_disabled', { detail: 'The endpoint is disabled. Enable it first.' });
    }
    const nowMs = deps.clock();
    const eventId = deps.ids.event(nowMs);
    const event = { type: 'webhook.test', timestamp: new Date(nowMs).toISOString() };
    const body = JSON.stringify({ ...event, data: { object: 'webhook_test', endpoint_id: id } });
    const planned = createDelivery({
      id: deps.ids.delivery(nowMs, eventId, id),
      tenant,
      eventId,
      type: 'webhook.test',
      at: nowMs,
      endpointId: id,
      destinationKey: id,
      url: '',
      nowMs,
    });
    const { attempt } = await deps.attemptDelivery(destination, planned, body);
    // The schedule of a test is its single attempt.
    const delivery = afterAttempt(planned, attempt, { nowMs: deps.clock(), random: 0, schedule: [] });
    await deps.deliveries.createEnded(delivery, attempt, { body, contentTtlMs: deps.contentTtlMs });
    return viewDelivery(delivery, [attempt]);
  };
}
export type TestEndpoint = ReturnType<typeof createTestEndpoint>;
