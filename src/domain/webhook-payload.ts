import type { ImageJobView } from './job-view.ts';
import type { EventType } from './webhook-event.ts';

/** What is sent: `data` is the job as polling shows it. */
export interface WebhookPayload<Data = ImageJobView> {
  readonly type: EventType;
  /** When the event happened, RFC 3339. */
  readonly timestamp: string;
  readonly data: Data;
  /** Only when `data` was cut to fit; all of the job is at `data.urls.self`. */
  readonly truncated?: true;
}

/** Standard Webhooks 1.0.0 advises to stay below 20 kB. */
export const maxPayloadBytes = 20_000;

/** What makes a job smaller, one after the other until it fits. */
const reductions: readonly ((job: ImageJobView) => ImageJobView)[] = [
  (job) => withShortTexts(job, 400),
  withoutDetails,
  (job) => withShortMetadata(withShortTexts(job, 100), 100),
  (job) => withShortMetadata(withShortTexts(job, 20), 20),
];

/**
 * The text to send for an event. Where it would be too long, texts are cut first, then what only explains is left out,
 * last the values of the caller's own metadata are cut; the shape stays that of a job, and `truncated` says so.
 *
 * @param at epoch milliseconds.
 */
export function payloadText(type: EventType, at: number, job: ImageJobView): string {
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

/** Cut between code points. */
function shortened(text: string, max: number): string {
  const points = [...text.slice(0, max * 2)];
  return points.length > max || text.length > max * 2 ? `${points.slice(0, max).join('')}…` : text;
}
