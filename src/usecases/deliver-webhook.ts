import type {
  Clock,
  Deliveries,
  ImageRecords,
  Log,
  Meter,
  Task,
  TaskResult,
  WebhookAnswer,
  WebhookSender,
} from '../domain/ports.ts';
import { webhookDelayMs } from '../domain/retry-schedule.ts';
import type { Delivery } from '../domain/webhook-event.ts';
import type { PresentImage } from './present-image.ts';

interface Deps {
  records: ImageRecords;
  deliveries: Deliveries;
  sender: WebhookSender;
  presentImage: PresentImage;
  /** Secrets of a tenant, newest first; never empty. */
  secretsOf: (tenant: string) => readonly string[];
  clock: Clock;
  random: () => number;
  meter: Meter;
  log: Log;
  publicUrl: () => string;
}

/** Links in a webhook outlive the whole retry schedule; S3 signs for at most seven days. */
const linkSeconds = 7 * 24 * 3600;

/**
 * Makes one attempt to deliver an event. At least once: a death between the receiver's answer and our note of it
 * leads to a second attempt with the same `webhook-id` and the same bytes.
 */
export function createDeliverWebhook(deps: Deps) {
  /** The bytes are fixed before the first attempt, so that every attempt carries the same ones. */
  async function withBody(delivery: Delivery): Promise<Delivery & { body: string }> {
    const { job, body, ...rest } = delivery;
    if (body !== undefined) return { ...rest, body };
    if (!job) throw new Error(`delivery ${delivery.id} holds neither a body nor a job`);
    const data = await deps.presentImage(job, {
      publicUrl: deps.publicUrl(),
      linkSeconds,
      withPosition: false,
    });
    const rendered = JSON.stringify({
      type: delivery.type,
      timestamp: new Date(delivery.at).toISOString(),
      data,
    });
    const fixed = { ...rest, body: rendered };
    await deps.deliveries.save(fixed, deps.clock());
    return fixed;
  }

  async function attempt(delivery: Delivery & { body: string }): Promise<WebhookAnswer> {
    const { url, eventId, body, tenant } = delivery;
    const answer = await deps.sender.send({ url, eventId, body, secrets: deps.secretsOf(tenant) });
    deps.meter.webhookAttempt(answer.outcome, answer.latencyMs / 1000);
    deps.log[answer.outcome === 'delivered' ? 'info' : 'warn'](
      {
        delivery_id: delivery.id,
        event_id: eventId,
        job_id: delivery.jobId,
        attempt: delivery.attempts + 1,
        outcome: answer.outcome,
        status: answer.status,
        detail: answer.detail,
        latency_ms: Math.round(answer.latencyMs),
      },
      'webhook attempt',
    );
    return answer;
  }

  async function next(delivery: Delivery, answer: WebhookAnswer): Promise<TaskResult> {
    const { tenant, id } = delivery;
    const attempts = delivery.attempts + 1;
    const final = answer.outcome === 'delivered' || answer.outcome === 'gone';
    const delayMs = final ? null : webhookDelayMs(attempts, answer.retryAfterMs, deps.random());
    if (delayMs === null) {
      if (!final) deps.log.error({ delivery_id: id, job_id: delivery.jobId, attempts }, 'webhook given up');
      await deps.deliveries.remove(tenant, [id]);
      return { done: true };
    }
    await deps.deliveries.save({ ...delivery, attempts }, deps.clock() + delayMs);
    return { againInMs: delayMs };
  }

  return async ({ tenant, id }: Task): Promise<TaskResult> => {
    const delivery = await deps.deliveries.get(tenant, id);
    if (!delivery) return { done: true };
    const job = await deps.records.get(tenant, delivery.jobId);
    if (!job || job.erasedAt !== undefined) {
      await deps.deliveries.remove(tenant, [id]);
      return { done: true };
    }
    const fixed = await withBody(delivery);
    return next(fixed, await attempt(fixed));
  };
}
export type DeliverWebhook = ReturnType<typeof createDeliverWebhook>;
