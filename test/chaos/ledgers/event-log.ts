import { createHash } from 'node:crypto';
import { startEndpointServer } from '../../support/webhook-endpoints.ts';

/** What arrived at the receiver of webhooks. */
export interface EventLog {
  readonly url: string;
  /** How often each event arrived, by the id that is the same in every attempt. */
  countsOf(jobId: string): ReadonlyMap<string, number>;
  /** Events that arrived again with other bytes. */
  readonly unequal: ReadonlySet<string>;
  close(): Promise<void>;
}

/** Starts a receiver that takes everything and counts it. */
export async function startEventLog(): Promise<EventLog> {
  const ledgers = new Map<string, Map<string, number>>();
  const bodies = new Map<string, string>();
  const unequal = new Set<string>();
  const endpointServer = await startEndpointServer((_request, response) => {
    // One at a time: an answer follows its request at once.
    for (const { headers, body } of endpointServer.requests.splice(0)) {
      const jobId = (JSON.parse(body) as { data: { id: string } }).data.id;
      const eventId = String(headers['webhook-id']);
      const book = ledgers.get(jobId) ?? new Map<string, number>();
      ledgers.set(jobId, book.set(eventId, (book.get(eventId) ?? 0) + 1));
      const digest = createHash('sha256').update(body).digest('base64');
      if ((bodies.get(eventId) ?? digest) !== digest) unequal.add(eventId);
      bodies.set(eventId, digest);
    }
    response.writeHead(204).end();
  });
  return {
    url: `http://127.0.0.1:${endpointServer.port}/events`,
    unequal,
    countsOf: (jobId) => ledgers.get(jobId) ?? new Map(),
    close: endpointServer.close,
  };
}
