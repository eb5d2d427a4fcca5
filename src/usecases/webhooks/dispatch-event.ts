import type { ImageJob } from '../../domain/image-job.ts';
import type {
  Clock,
  Ids,
  JobStore,
  Log,
  TaskQueue,
  TaskSubject,
  WebhookEndpoints,
  WebhookEvents,
} from '../../domain/ports.ts';
import { createDelivery, type Delivery } from '../../domain/webhook-delivery.ts';
import { type JobEvent, wantsEvent } from '../../domain/webhook-event.ts';
import { payloadText } from '../../domain/webhook-payload.ts';
import type { PresentJob } from '../jobs/present-job.ts';
import { enqueueDelivery } from './enqueue-delivery.ts';

interface Deps {
  readonly records: JobStore;
  readonly events: WebhookEvents;
  readonly endpoints: WebhookEndpoints;
  readonly webhookQueue: TaskQueue;
  readonly presentJob: PresentJob;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly publicUrlFor: (job: ImageJob) => string;
  /** Lifetime of a payload, which redeliveries need, in milliseconds. */
  readonly keepBodyMs: number;
}

/** Lifetime of links in a payload, in seconds. Longer than the retry schedule; S3 signs for at most seven days. */
const linkSeconds = 7 * 24 * 3600;

/**
 * Turns an event into deliveries: fixes the payload and creates one delivery for the job's own webhook and one for
 * every subscribed endpoint. Idempotent: an event that was dispatched before stays unchanged.
 */
export function createDispatchEvent(deps: Deps) {
  async function destinationsOf({ tenant, type, job }: JobEvent) {
    const webhook = job.request?.webhook;
    const own = webhook && wantsEvent(webhook, type) ? [{ url: webhook.url }] : [];
    const endpoints = await deps.endpoints.subscribed(tenant, type);
    return [
      ...own.map(({ url }) => ({ url, destinationKey: deps.ids.hostDestinationKey(tenant, url) })),
      ...endpoints.map(({ id, url }) => ({ url, destinationKey: id, endpointId: id })),
    ];
  }

  async function deliveriesOf(event: JobEvent): Promise<Delivery[]> {
    const { id: eventId, tenant, type, at, job } = event;
    const nowMs = deps.clock();
    return (await destinationsOf(event)).map((destination) =>
      createDelivery({
        ...destination,
        id: deps.ids.delivery(at, eventId, destination.destinationKey),
        tenant,
        eventId,
        type,
        at,
        jobId: job.id,
        nowMs,
      }),
    );
  }

  return async ({ tenant, id }: TaskSubject): Promise<void> => {
    const event = await deps.events.undispatched(tenant, id);
    if (!event) return;
    const record = await deps.records.get(tenant, event.job.id);
    const deliveries = record && record.erasedAt === undefined ? await deliveriesOf(event) : [];
    if (deliveries.length === 0) return deps.events.remove(tenant, [id]);
    const view = await deps.presentJob(event.job, {
      publicUrl: deps.publicUrlFor(event.job),
      linkSeconds,
      withPosition: false,
    });
    const dispatchTasks = await deps.events.dispatch(event, {
      body: payloadText(event.type, event.at, view),
      deliveries,
      nowMs: deps.clock(),
      keepMs: deps.keepBodyMs,
    });
    for (const dispatchTask of dispatchTasks) await enqueueDelivery(deps, tenant, dispatchTask);
  };
}
export type DispatchEvent = ReturnType<typeof createDispatchEvent>;
