import { expect, it } from 'vitest';
import { eventFor } from '../../src/domain/webhook-event.ts';
import { createWebhookEvents } from '../../src/outbound/records/webhooks/webhook-events.ts';
import { createdAt } from '../support/jobs.ts';
import { submitWithWebhook } from '../support/submitted-events.ts';
import { connectWebhookStore, deliveryOf } from '../support/webhooks.ts';

it('an event of the next release about more of a job than its status stays in the outbox, and is not sent as an event of the status', async () => {
  const store = await connectWebhookStore();
  const { keys, redis } = store;
  const { job, tenant } = await submitWithWebhook(store);
  const unreadable: string[] = [];
  const id = `${eventFor(job).id.replace(/_[a-z]+$/, '')}_upscaled`;
  await redis.set(keys.event(tenant, id), `${job.id} ${await redis.get(keys.job(tenant, job.id))}`);
  await redis.zadd(keys.outbox(tenant), createdAt, id);
  const events = createWebhookEvents(redis, keys, { onUnreadable: (each) => unreadable.push(each.id) });
  expect(await events.undispatched(tenant, id)).toBeNull();
  expect(unreadable).toEqual([id]);

  const delivery = deliveryOf({ tenant, eventId: id, type: 'image.upscaled', jobId: job.id });
  await events.dispatch({ tenant, id }, { deliveries: [delivery], nowMs: createdAt, contentTtlMs: 60_000 });
  expect(await store.deliveryQueues.due(tenant, 'whk_1', { nowMs: createdAt, limit: 9 })).toEqual([]);
  expect(await redis.zscore(keys.deliveryQueue(tenant, 'whk_1'), delivery.id)).not.toBeNull();
});
