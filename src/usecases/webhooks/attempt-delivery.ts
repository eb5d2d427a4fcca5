import type { Clock, Log, Meter, WebhookSender } from '../../domain/ports.ts';
import type { Delivery, DeliveryAttempt } from '../../domain/webhook-delivery.ts';
import type { Destination } from './resolve-destination.ts';

interface Deps {
  readonly sender: WebhookSender;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly log: Log;
}

/** Makes one attempt and returns its log entry. Never rejects because of the endpoint's behavior. */
export function createAttemptDelivery(deps: Deps) {
  return async (
    destination: Pick<Destination, 'tenant' | 'destinationKey' | 'urlOf' | 'secrets'>,
    delivery: Delivery,
    body: string,
  ): Promise<{ attempt: DeliveryAttempt; retryAfterMs: number | undefined }> => {
    const url = destination.urlOf(delivery);
    const at = deps.clock();
    const response = await deps.sender.send({
      destination: `${destination.tenant} ${destination.destinationKey}`,
      url,
      eventId: delivery.eventId,
      body,
      secrets: destination.secrets,
    });
    const { outcome, status, detail, excerpt } = response;
    deps.meter.webhookAttempt(outcome, response.latencyMs / 1000);
    const attempt: DeliveryAttempt = {
      no: delivery.attempts + 1,
      at,
      url,
      outcome,
      status,
      latencyMs: Math.round(response.latencyMs),
      ...(detail ? { detail } : {}),
      headers: { ...response.sentHeaders },
      ...(excerpt ? { response: excerpt } : {}),
    };
    deps.log[outcome === 'delivered' ? 'info' : 'warn'](
      {
        delivery_id: delivery.id,
        event_id: delivery.eventId,
        job_id: delivery.jobId,
        endpoint_id: delivery.endpointId,
        attempt: attempt.no,
        outcome,
        status,
        detail,
        latency_ms: attempt.latencyMs,
      },
      'webhook attempt',
    );
    return { attempt, retryAfterMs: response.retryAfterMs };
  };
}
export type AttemptDelivery = ReturnType<typeof createAttemptDelivery>;
