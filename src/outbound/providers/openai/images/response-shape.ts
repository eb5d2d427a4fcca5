import { withoutMetadata } from '../client/classify-whole.ts';
import { publicMessage } from '../client/public-message.ts';
import { type Envelope, saidInstead } from './response-envelope.ts';

/** Names the shapes of complete responses that contain no image in a known member. */

const fileStarts: readonly (readonly [string, string])[] = [
  ['\x89PNG', 'the raw bytes of a PNG image instead of JSON'],
  ['\xff\xd8\xff', 'the raw bytes of a JPEG image instead of JSON'],
  ['GIF8', 'the raw bytes of a GIF image instead of JSON'],
  ['RIFF', 'the raw bytes of a WebP image instead of JSON'],
];

/** Names a body that is no JSON object. @param start the first bytes, as latin1. */
export function foreignShape(start: string): string {
  const found = fileStarts.find(([bytes]) => start.startsWith(bytes));
  if (found) return found[1];
  const text = start.trimStart();
  if (text.startsWith('<')) return 'it is a web page or XML, not JSON';
  if (text.startsWith('[')) return 'it is a JSON list, not an object';
  return 'it is not a JSON object';
}

/** Returns the error that a complete response states instead of an image, or `null` if it states none. */
export function errorOfEnvelope(envelope: Envelope): unknown {
  const { data, output } = envelope;
  const error = statedError(Object(envelope.raw));
  if (error !== null) return error;
  const hasResult = Array.isArray(data) || Array.isArray(output);
  const statesCode = ['code', 'status', 'detail', 'errorType'].some((member) => isPresent(envelope[member]));
  const isTask = taskId(envelope) !== null;
  return !hasResult && !isTask && statesCode && (envelope.message ?? envelope.detail ?? envelope.errorType)
    ? withoutMetadata(envelope.raw)
    : null;
}

/** Returns the error in an object, or the whole object if the member is a flag or a text; `null` if there is none. */
export function statedError(part: object): unknown {
  const error: unknown = Reflect.get(part, 'error');
  if (typeof error === 'object' && isPresent(error)) return error;
  if (isPresent(error)) return withoutMetadata(part);
  const errors: unknown = Reflect.get(part, 'errors');
  return isPresent(errors) ? errors : null;
}

/**
 * Returns what a response without an image states beside an error: why it stopped, and errors of its entries. A reason may be
 * harmless, so only a known one counts.
 */
export function reasonsOfEnvelope({ data, output, raw }: Envelope): unknown[] {
  const parts = [raw, Reflect.get(Object(raw), 'result'), ...(data ?? []), ...(output ?? [])];
  return parts.slice(0, maxParts).flatMap((part) => {
    const read = (member: string): unknown => Reflect.get(Object(part), member) ?? null;
    const code = read('finish_reason') ?? read('finishReason') ?? read('stop_reason');
    const filters = [read('content_filter_results'), read('content_filter_result')];
    const isFiltered = filters.flatMap((each) => Object.values(each ?? {})).some(hasFiltered);
    return [
      read('error'),
      read('incomplete_details'),
      ...(isFiltered ? [{ ...Object(part), code: 'content_filter' }] : []),
      ...(typeof code === 'string' ? [{ code }] : []),
    ].filter(isPresent);
  });
}

const maxParts = 40;
const hasFiltered = (result: unknown) => Reflect.get(Object(result), 'filtered') === true;

const isPresent = (value: unknown) =>
  value !== undefined &&
  value !== null &&
  value !== false &&
  value !== 0 &&
  value !== '' &&
  !(Array.isArray(value) && value.length === 0);

/** Names the shape of a JSON object without an image. @param isEvent whether it is the final event of a stream. */
export function shapeWithoutImage(envelope: Envelope, isEvent: boolean): string {
  const { data, output } = envelope;
  if (output && !data) {
    const text = publicMessage(saidInstead(envelope));
    return `it holds no image${text ? `; the model wrote: ${text}` : ''}`;
  }
  if (taskId(envelope) !== null) return 'it names a task to poll instead of an image, which is not supported';
  if (!data && isEvent) return 'it is an event stream whose last event holds no image';
  if (!data) return 'it has no list "data"';
  if (data.length === 0) return 'its list "data" is empty';
  if (data.some((item) => item?.url)) {
    return 'it holds a link instead of the image; if the model sends links, set "sends_links" in the catalogue';
  }
  return 'it holds no image: b64_json is missing or null';
}

const taskMembers = ['task_id', 'taskId', 'job_id', 'request_id', 'polling_url', 'status_url'];

/** Finds the id of an asynchronous task, at the top level or one level below. */
function taskId({ raw }: Envelope): string | null {
  const parts = typeof raw === 'object' && raw !== null ? [raw, ...Object.values(raw).flat()] : [];
  for (const part of parts.slice(0, maxParts)) {
    if (typeof part !== 'object' || part === null) continue;
    for (const member of taskMembers) {
      const value: unknown = Reflect.get(part, member);
      if (typeof value === 'string' && value !== '') return value;
    }
  }
  return null;
}
