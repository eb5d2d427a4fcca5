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
import { type JobEvent, type TenantEvent, wantsEvent } from '../../domain/webhook-event.ts';
import { enqueueDelivery } from './enqueue-delivery.ts';

interface Deps {
  readonly records: JobStore;
  readonly events: WebhookEvents;
  readonly endpoints: WebhookEndpoints;
  readonly webhookQueue: TaskQueue;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  /** Lifetime of an event's content, which redeliveries need, in milliseconds. */
  readonly contentTtlMs: number;
}

/**
 * Turns an event into deliveries: creates one for the job's own webhook and one for every subscribed endpoint. Idempotent: an event that was dispatched before stays unchanged.
 */
export function createDispatchEvent(deps: Deps) {
  async function destinationsOf({ tenant, type, job }: JobEvent | TenantEvent) {
    const webhook = job?.request?.webhook;
    const own = webhook && wantsEvent(webhook, type) ? [{ url: webhook.url }] : [];
    const endpoints = await deps.endpoints.subscribed(tenant, type);
    return [
      ...own.map(({ url }) => ({ url, destinationKey: deps.ids.hostDestinationKey(tenant, url) })),
      ...endpoints.map(({ id, url }) => ({ url, destinationKey: id, endpointId: id })),
    ];
  }

  async function deliveriesOf(event: JobEvent | TenantEvent): Promise<Delivery[]> {
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
        jobId: job?.id,
        nowMs,
      }),
    );
  }

  async function isReadable(tenant: string, jobId: string): Promise<boolean> {
    const record = await deps.records.get(tenant, jobId);
    return record !== null && record.erasedAt === undefined;
  }

  /** Removes an event that only a newer release can read if its job was erased, because the event has the prompt. */
  async function removeErased(tenant: string, id: string): Promise<void> {
    const jobId = await deps.events.jobIdOf(tenant, id);
    if (jobId !== null && !(await isReadable(tenant, jobId))) await deps.events.remove(tenant, [id]);
  }

  return async ({ tenant, id }: TaskSubject): Promise<void> => {
    const event = await deps.events.undispatched(tenant, id);
    if (!event) return removeErased(tenant, id);
    const isErased = event.job !== undefined && !(await isReadable(tenant, event.job.id));
    const deliveries = isErased ? [] : await deliveriesOf(event);
    if (deliveries.length === 0) return deps.events.remove(tenant, [id]);
    const dispatchTasks = await deps.events.dispatch(event, {
      deliveries,
      nowMs: deps.clock(),
      contentTtlMs: deps.contentTtlMs,
    });
    for (const dispatchTask of dispatchTasks) await enqueueDelivery(deps, tenant, dispatchTask);
  };
}
export type DispatchEvent = ReturnType<typeof createDispatchEvent>;
