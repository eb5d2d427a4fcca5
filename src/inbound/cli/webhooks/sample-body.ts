import type { ImageJobView } from '../../../domain/job-view.ts';
import type { EventType, ImageEventType } from '../../../domain/webhook-event.ts';
import { payloadText } from '../../../domain/webhook-payload.ts';
import { ids } from '../../../lib/ids.ts';
import { budgetThresholdExample, imageJobExample, imageJobExamples } from '../../http/examples.ts';

const { queued, failed } = imageJobExamples;
const provider = { provider: 'studio', livemode: false };
const ended = { ...failed.value, error: null };

/** Jobs of the OpenAPI document, as each event reports them. */
const samples: Readonly<Record<ImageEventType, (iso: string) => ImageJobView>> = {
  'image.queued': () => queued.value,
  'image.started': (iso) => ({
    ...queued.value,
    ...provider,
    status: 'running',
    stage: 'generating',
    started_at: iso,
  }),
  'image.succeeded': () => ({ ...imageJobExample, ...provider }),
  'image.failed': () => ({ ...failed.value, ...provider }),
  'image.canceled': (iso) => ({ ...ended, ...provider, status: 'canceled', cancel_requested_at: iso }),
  'image.expired': () => ({
    ...ended,
    provider: null,
    livemode: null,
    status: 'expired',
    started_at: null,
    error: {
      code: 'queue_timeout',
      message: 'The job waited longer than queue_ttl_s.',
      stage: null,
      retryable: true,
      billing: 'none',
      index: null,
      provider: null,
    },
  }),
};

/** Returns the body of a webhook with sample data: a job with a new id, whose links lead nowhere. */
export function sampleBody(type: EventType, nowMs: number): string {
  const timestamp = new Date(nowMs).toISOString();
  if (type === 'webhook.test') {
    const data = { object: 'webhook_test', endpoint_id: ids.endpoint(nowMs) };
    return JSON.stringify({ type, timestamp, data });
  }
  if (type === 'budget.threshold') {
    return JSON.stringify({ type, timestamp, data: { ...budgetThresholdExample, key_id: 'key_sample' } });
  }
  const job = samples[type](timestamp);
  const text = payloadText(type, nowMs, { ...job, updated_at: timestamp });
  return text.replaceAll(job.id, ids.job(nowMs));
}
