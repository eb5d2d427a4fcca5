import { eventFor } from '../../src/domain/webhook-event.ts';
import { queuedJob } from './jobs.ts';
import { freshTenant } from './store.ts';
import type { WebhookStore } from './webhooks.ts';

/** A webhook of a job that subscribes to all events. */
export const webhook = { url: 'https://receiver.example/hook' };

/** Submits a job whose own webhook subscribes to all events. */
export async function submitWithWebhook(store: WebhookStore, tenant = freshTenant()) {
  const job = queuedJob({ tenant, request: { webhook } });
  const event = eventFor(job);
  const outcome = await store.records.submit({ job, event, maxOpenJobs: 9 });
  return { job, tenant, event, id: event.id, outcome };
}
