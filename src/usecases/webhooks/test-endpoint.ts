import { AppError } from '../../domain/errors.ts';
import type { Clock, Deliveries, Ids, WebhookEndpoints } from '../../domain/ports.ts';
import { afterAttempt, createDelivery } from '../../domain/webhook-delivery.ts';
import { type DeliveryView, viewDelivery } from '../../domain/webhook-view.ts';
import type { AttemptDelivery } from './attempt-delivery.ts';
import type { FindDestination } from './find-destination.ts';
import { findEndpoint } from './manage-endpoints.ts';

interface Deps {
  endpoints: WebhookEndpoints;
  deliveries: Deliveries;
  findDestination: FindDestination;
  attemptDelivery: AttemptDelivery;
  ids: Ids;
  clock: Clock;
  keepBodyMs: number;
}

/**
 * Sends `webhook.test` to an endpoint now and shows what the receiver said. One attempt, which is in the log but changes
 * nothing else: a test that fails does not count against the endpoint.
 *
 * @throws AppError `not_found`, `endpoint_disabled`
 */
export function createTestEndpoint(deps: Deps) {
  return async (tenant: string, id: string): Promise<DeliveryView> => {
    await findEndpoint(deps.endpoints, tenant, id);
    const destination = await deps.findDestination(tenant, id);
    if (destination.closed) {
      throw new AppError('endpoint_disabled', { detail: 'The endpoint is switched off. Enable it first.' });
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
    // Its one attempt is its whole schedule.
    const delivery = afterAttempt(planned, attempt, { nowMs: deps.clock(), random: 0, schedule: [] });
    await deps.deliveries.enter(delivery, attempt, { body, keepMs: deps.keepBodyMs });
    return viewDelivery(delivery, [attempt]);
  };
}
export type TestEndpoint = ReturnType<typeof createTestEndpoint>;
