import { createDelivery } from '../../src/domain/webhook-delivery.ts';
import { createEndpoint } from '../../src/domain/webhook-endpoint.ts';
import { eventFor } from '../../src/domain/webhook-event.ts';
import type { Closers } from '../../src/lib/closers.ts';
import { createEncryptedSecrets } from '../../src/lib/crypto/encrypted-secrets.ts';
import { createWebhookSecret } from '../../src/lib/crypto/webhook-secret.ts';
import { ids } from '../../src/lib/ids.ts';
import { queueNames } from '../../src/outbound/queue/queue-names.ts';
import { createTaskQueue } from '../../src/outbound/queue/task-queue.ts';
import { createDeliveryQueues } from '../../src/outbound/records/webhooks/delivery-queues.ts';
import { createWebhookEndpoints } from '../../src/outbound/records/webhooks/webhook-endpoints.ts';
import { createWebhookEvents } from '../../src/outbound/records/webhooks/webhook-events.ts';
import type { BenchRedis } from '../harness/redis.ts';
import { keyPrefix, secretsKey, tenant } from './darkroom.ts';
import { openRecords, waitingJob } from './records.ts';

/** Webhook operations of the benchmark on a deployment, through the adapters of Darkroom. */
export interface WebhookStore {
  register(url: string, events: ('image.queued' | 'image.expired')[]): Promise<string>;
  remove(endpointId: string): Promise<void>;
  /** Writes events that were accepted with their jobs and are not dispatched yet. @returns their ids. */
  writeEvents(count: number): Promise<string[]>;
  /** Writes the given number of deliveries to the delivery queue of an endpoint, without a dispatch task. */
  fillDeliveryQueue(endpointId: string, url: string, count: number): Promise<void>;
  queueEvents(eventIds: readonly string[]): Promise<void>;
  dispatchTask(endpointId: string): Promise<void>;
}

const writesAtOnce = 200;
const contentTtlMs = 3_600_000;

export async function openWebhookStore(redis: BenchRedis, closers: Closers): Promise<WebhookStore> {
  const { records, keys, client } = openRecords(redis, keyPrefix, closers);
  const queue = closers.add(createTaskQueue(client, queueNames(keyPrefix).webhooks), (each) => each.close());
  const events = createWebhookEvents(client, keys);
  const endpoints = createWebhookEndpoints(client, keys, { audit: { ttlMs: 86_400_000, maxEntries: 100 } });
  const deliveryQueues = createDeliveryQueues(client, keys);
  const encrypted = createEncryptedSecrets(secretsKey);

  async function writeEvent(): Promise<string> {
    const job = waitingJob(Date.now());
    const event = eventFor(job);
    await records.submit({ job, event, maxOpenJobs: Number.MAX_SAFE_INTEGER });
    return event.id;
  }

  return {
    async register(url, asksFor) {
      const nowMs = Date.now();
      const id = ids.endpoint(nowMs);
      const encryptedSecret = encrypted.seal(createWebhookSecret(), id);
      const endpoint = createEndpoint({ id, tenant, body: { url, events: asksFor }, encryptedSecret, nowMs });
      await endpoints.create(endpoint, { max: Number.MAX_SAFE_INTEGER });
      return id;
    },
    async remove(endpointId) {
      await endpoints.remove(tenant, endpointId);
    },
    writeEvents: (count) => inParallel(count, writeEvent),
    async fillDeliveryQueue(endpointId, url, count) {
      await inParallel(count, async () => {
        const id = await writeEvent();
        const event = await events.undispatched(tenant, id);
        if (!event) throw new Error('no endpoint subscribes to the event');
        const nowMs = Date.now();
        const delivery = createDelivery({
          ...{
            id: ids.delivery(event.at, id, endpointId),
            tenant,
            eventId: id,
            type: event.type,
            at: event.at,
          },
          ...{ jobId: event.job?.id, endpointId, destinationKey: endpointId, url, nowMs },
        });
        await events.dispatch(event, { deliveries: [delivery], nowMs, contentTtlMs });
      });
    },
    async queueEvents(eventIds) {
      await Promise.all(
        eventIds.map((id) => queue.add({ kind: 'dispatch_event', tenant, id }, { priority: 'normal' })),
      );
    },
    async dispatchTask(endpointId) {
      const { destinationKey, taskId } = await deliveryQueues.dispatchTask(tenant, endpointId);
      await queue.add(
        { kind: 'deliver_pending', tenant, id: destinationKey },
        { priority: 'normal', taskId },
      );
    },
  };
}

async function inParallel<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let left = count;
  const scope = async () => {
    while (left > 0) {
      left -= 1;
      results.push(await work());
    }
  };
  await Promise.all(Array.from({ length: Math.min(writesAtOnce, count) }, scope));
  return results;
}
