import type { ImageJobView, PreviewView } from '../../src/domain/job-view.ts';
import { testKeys } from './service-environment.ts';

/** One event of a job's stream. */
export interface StreamedEvent {
  /** The `id:` line, a value for Last-Event-ID. */
  readonly no: string;
  /** The `event:` line. */
  readonly name: string;
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly stage: string | null;
  readonly at: string;
  readonly image?: ImageJobView['images'][number];
  readonly partial_image?: PreviewView;
  readonly job?: ImageJobView;
}

/** Opens the stream of a job as the tenant `acme`. */
export function openEvents(url: string, jobId: string, lastEventId?: string): Promise<Response> {
  return fetch(`${url}/images/${jobId}/events`, {
    headers: {
      authorization: `Bearer ${testKeys.acme}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
  });
}

/** Opens the stream of all jobs of a tenant, by default of `acme`. */
export function openTenantEvents(
  url: string,
  { lastEventId, key = testKeys.acme }: { lastEventId?: string; key?: string } = {},
): Promise<Response> {
  return fetch(`${url}/events`, {
    headers: {
      authorization: `Bearer ${key}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
  });
}

/** Reads events as they arrive, until the server ends the stream. Leaving the loop closes the connection. */
export async function* streamedEvents(response: Response): AsyncGenerator<StreamedEvent, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    yield* blocks.flatMap(parseEvent);
  }
  if (rest !== '') throw new Error(`the stream ended in the middle of an event: ${rest}`);
}

/** Reads a stream until the server ends it or `enough` events have arrived. */
export async function eventsOf(
  response: Response,
  enough = Number.POSITIVE_INFINITY,
): Promise<StreamedEvent[]> {
  const events: StreamedEvent[] = [];
  for await (const event of streamedEvents(response)) {
    if (events.push(event) >= enough) break;
  }
  return events;
}

/** Reads the stream of a job from its first event to its end. */
export async function readEvents(url: string, jobId: string): Promise<StreamedEvent[]> {
  return eventsOf(await openEvents(url, jobId));
}

function parseEvent(block: string): StreamedEvent[] {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
  const data = field('data');
  if (data === undefined) return [];
  return [{ no: field('id') ?? '', name: field('event') ?? '', ...JSON.parse(data) }];
}
