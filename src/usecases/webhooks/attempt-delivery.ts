import type { Clock, Log, Meter, WebhookSender } from '../../domain/ports.ts';
import type { Delivery, DeliveryAttempt } from '../../domain/webhook-delivery.ts';
import type { Receiver } from './find-destination.ts';

interface Deps {
  sender: WebhookSender;
  clock: Clock;
  meter: Meter;
  log: Log;
}

/** Makes one attempt and says what the log should keep of it. Never throws for what a receiver does. */
export function createAttemptDelivery(deps: Deps) {
  return async (
    receiver: Pick<Receiver, 'tenant' | 'target' | 'urlOf' | 'secrets'>,
    delivery: Delivery,
    body: string,
  ): Promise<{ attempt: DeliveryAttempt; retryAfterMs: number | undefined }> => {
    const url = receiver.urlOf(delivery);
    const at = deps.clock();
    const answer = await deps.sender.send({
      receiver: `${receiver.tenant} ${receiver.target}`,
      url,
      eventId: delivery.eventId,
      body,
      secrets: receiver.secrets,
    });
    const { outcome, status, detail, excerpt } = answer;
    deps.meter.webhookAttempt(outcome, answer.latencyMs / 1000);
    const attempt: DeliveryAttempt = {
      no: delivery.attempts + 1,
      at,
      url,
      outcome,
      status,
      latencyMs: Math.round(answer.latencyMs),
      ...(detail ? { detail } : {}),
      headers: { ...answer.sentHeaders },
      ...(excerpt ? { answer: excerpt } : {}),
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
    return { attempt, retryAfterMs: answer.retryAfterMs };
  };
}
export type AttemptDelivery = ReturnType<typeof createAttemptDelivery>;
