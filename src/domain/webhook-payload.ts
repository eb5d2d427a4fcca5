import type { ImageJobView } from './job-view.ts';
import type { Open } from './open.ts';
import type { EventType } from './webhook-event.ts';

/** Body of a webhook. `data` has the shape of the job in `GET /images/{id}`. */
export interface WebhookPayload<Data = ImageJobView> {
  readonly type: Open<EventType>;
  /** Time of the event, RFC 3339. */
  readonly timestamp: string;
  readonly data: Data;
  /** Present if `data` was shortened. The complete job is at `data.urls.self`. */
  readonly truncated?: true;
}

/** Standard Webhooks 1.0.0 recommends at most 20 kB. */
export const maxPayloadBytes = 20_000;

/** Steps that make a job smaller, applied one after the other until it fits. */
const reductions: readonly ((job: ImageJobView) => ImageJobView)[] = [
  (job) => withShortTexts(job, 400),
  withoutDetails,
  (job) => withShortMetadata(withShortTexts(job, 100), 100),
  (job) => withShortMetadata(withShortTexts(job, 20), 20),
];

/**
 * Returns the body of an event. If it would be too long, prompts are cut first, then explanatory fields are omitted, and
 * last the values of the caller's metadata are cut. The shape stays that of a job, and `truncated` is true.
 *
 * @param at epoch milliseconds.
 */
export function payloadText(type: Open<EventType>, at: number, job: ImageJobView): string {
  const payload: WebhookPayload = { type, timestamp: new Date(at).toISOString(), data: job };
  let text = JSON.stringify(payload);
  let data = job;
  for (const reduce of reductions) {
    if (Buffer.byteLength(text) <= maxPayloadBytes) break;
    data = reduce(data);
    text = JSON.stringify({ ...payload, truncated: true, data });
  }
  return text;
}

function withShortTexts(job: ImageJobView, max: number): ImageJobView {
  const { original, enhanced, revised } = job.prompt;
  return {
    ...job,
    request: { ...job.request, prompt: shortened(job.request.prompt ?? '', max) },
    prompt: {
      original: shortened(original, max),
      enhanced: enhanced === null ? null : shortened(enhanced, max),
      revised: revised === null ? null : shortened(revised, max),
    },
  };
}

function withoutDetails(job: ImageJobView): ImageJobView {
  const {
    provider_options: _options,
    preset: _preset,
    metadata: _metadata,
    webhook: _webhook,
    ...request
  } = job.request;
  return { ...job, request, attempts: [], image_errors: job.image_errors.slice(0, 1) };
}

function withShortMetadata(job: ImageJobView, max: number): ImageJobView {
  const pairs = Object.entries(job.metadata).map(([key, value]) => [key, shortened(value, max)]);
  return { ...job, metadata: Object.fromEntries(pairs) };
}

/** Cuts a text between code points. */
function shortened(text: string, max: number): string {
  const points = [...text.slice(0, max * 2)];
  return points.length > max || text.length > max * 2 ? `${points.slice(0, max).join('')}…` : text;
}
