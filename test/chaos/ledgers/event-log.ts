import { createHash } from 'node:crypto';
import { withoutLinks } from '../../support/webhook-bodies.ts';
import { startEndpointServer } from '../../support/webhook-endpoints.ts';

/** The webhooks that arrived at an endpoint. */
export interface EventLog {
  readonly url: string;
  /** Returns how often each event arrived, by its id. */
  countsOf(jobId: string): ReadonlyMap<string, number>;
  /** Events that arrived again with other bytes. */
  readonly unequal: ReadonlySet<string>;
  close(): Promise<void>;
}

/** Starts an endpoint that accepts and counts all webhooks. */
export async function startEventLog(): Promise<EventLog> {
  const ledgers = new Map<string, Map<string, number>>();
  const bodies = new Map<string, string>();
  const unequal = new Set<string>();
  const endpointServer = await startEndpointServer((_request, response) => {
    // The list has one request, because each response follows its request at once.
    for (const { headers, body } of endpointServer.requests.splice(0)) {
      const jobId = (JSON.parse(body) as { data: { id: string } }).data.id;
      const eventId = String(headers['webhook-id']);
      const counts = ledgers.get(jobId) ?? new Map<string, number>();
      ledgers.set(jobId, counts.set(eventId, (counts.get(eventId) ?? 0) + 1));
      const digest = createHash('sha256').update(withoutLinks(body)).digest('base64');
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
