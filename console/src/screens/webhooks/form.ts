import type { Problem, WebhookEndpoint } from '../../api/types.ts';

/** Events that an endpoint can choose one by one. */
export const eventChoices = [
  'image.queued',
  'image.started',
  'image.succeeded',
  'image.failed',
  'image.canceled',
  'image.expired',
  'budget.threshold',
] as const;

/** Contents of the form of an endpoint. */
export interface EndpointFields {
  readonly url: string;
  readonly description: string;
  readonly hasAllEvents: boolean;
  /** Chosen events, if not all. */
  readonly events: readonly string[];
}

/** Returns the contents of the form for an endpoint, or for a new one. */
export function fieldsOf(endpoint: WebhookEndpoint | undefined): EndpointFields {
  const patterns: readonly string[] = endpoint?.events ?? ['*'];
  const hasAllEvents = patterns.includes('*');
  const chosen = eventChoices.filter(
    (event) => patterns.includes(event) || (event.startsWith('image.') && patterns.includes('image.*')),
  );
  return {
    url: endpoint?.url ?? '',
    description: endpoint?.description ?? '',
    hasAllEvents,
    events: hasAllEvents ? [] : chosen,
  };
}

/** Body of the request that creates or changes an endpoint. */
export interface EndpointRequest {
  readonly url: string;
  readonly description: string;
  readonly events: readonly string[];
}

/** Returns the request of a form, or null if the form is not complete. */
export function requestOf({
  url,
  description,
  hasAllEvents,
  events,
}: EndpointFields): EndpointRequest | null {
  if (url.trim() === '' || (!hasAllEvents && events.length === 0)) return null;
  const ofJobs = eventChoices.filter((event) => event.startsWith('image.'));
  const hasAllOfJobs = ofJobs.every((event) => events.includes(event));
  const chosen = eventChoices.filter((event) => events.includes(event));
  const rest = chosen.filter((event) => !event.startsWith('image.'));
  return {
    url: url.trim(),
    description: description.trim(),
    events: hasAllEvents ? ['*'] : hasAllOfJobs ? ['image.*', ...rest] : chosen,
  };
}

/** Texts of a refusal by field. `hasAll` is true if the fields show the whole refusal. */
export interface FieldErrors {
  readonly url: string | undefined;
  readonly events: string | undefined;
  readonly description: string | undefined;
  readonly hasAll: boolean;
}

/** Returns the texts of a refusal at the fields that their pointers name. */
export function fieldErrors(problem: Problem | null | undefined): FieldErrors {
  const issues = problem?.errors ?? [];
  const of = (name: string) => issues.find(({ pointer }) => pointer.split('/')[1] === name)?.detail;
  const fields = { url: of('url'), events: of('events'), description: of('description') };
  const names = issues.map(({ pointer }) => pointer.split('/')[1] ?? '');
  return { ...fields, hasAll: issues.length > 0 && names.every((name) => name in fields) };
}
