import { AppError } from '../../domain/errors.ts';
import type {
  CheckRoom,
  Clock,
  Deliveries,
  Ids,
  SendClaim,
  SendLimits,
  WebhookEndpoints,
} from '../../domain/ports.ts';
import { afterAttempt, createDelivery } from '../../domain/webhook-delivery.ts';
import { type DeliveryView, viewDelivery } from '../../domain/webhook-view.ts';
import type { AttemptDelivery } from './attempt-delivery.ts';
import { getEndpoint } from './manage-endpoints.ts';
import type { ResolveDestination } from './resolve-destination.ts';
import { hostOf } from './send-permits.ts';

interface Deps {
  readonly endpoints: WebhookEndpoints;
  readonly deliveries: Deliveries;
  readonly resolveDestination: ResolveDestination;
  readonly attemptDelivery: AttemptDelivery;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly contentTtlMs: number;
  readonly sendLimits: Pick<SendLimits, 'claim'>;
  readonly limits: SendClaim['limits'];
  readonly checkRoom: CheckRoom;
}

/**
 * Sends `webhook.test` to an endpoint immediately and returns the endpoint's response. The single attempt is logged and
 * counts against the limits of a minute. It has no other effect: a failed test does not count towards the circuit breaker.
 *
 * @throws AppError `not_found`, `endpoint_disabled`, `too_many_requests`, `store_full`
 */
export function createTestEndpoint(deps: Deps) {
  async function claimSend(tenant: string, url: string, nowMs: number): Promise<void> {
    const claim = { tenant, host: hostOf(url), nowMs, wanted: 1, limits: deps.limits, isTest: true };
    const { granted, untilMs = nowMs } = await deps.sendLimits.claim(claim);
    if (granted > 0) return;
    throw new AppError('too_many_requests', {
      detail: 'The limit of webhook requests per minute is reached. Retry after the time in Retry-After.',
      retryAfterSeconds: Math.max(1, Math.ceil((untilMs - nowMs) / 1000)),
    });
  }

  return async (tenant: string, id: string): Promise<DeliveryView> => {
    const { url } = await getEndpoint(deps.endpoints, tenant, id);
    deps.checkRoom();
    const destination = await deps.resolveDestination(tenant, id);
    if (destination.inactive) {
      throw new AppError('endpoint_disabled', { detail: 'The endpoint is disabled. Enable it first.' });
    }
    const nowMs = deps.clock();
    await claimSend(tenant, url, nowMs);
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
