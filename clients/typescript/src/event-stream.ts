import { createDeadline } from './deadline.ts';
import { ConnectionError } from './errors.ts';
import type { ImageEvent } from './generated/types.gen.ts';
import { checkSegment } from './generated-client.ts';
import { readServerEvents } from './server-events.ts';
import { isConnectionFailure, type Transport } from './transport.ts';

/** A step of a stream. The first step has no event: it shows that the stream is open. */
export interface StreamStep {
  /** Position for `after`. */
  readonly id: string | undefined;
  readonly event: ImageEvent | undefined;
}

export interface StreamOptions {
  /** Position of the last event that was read. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Returns the path of the stream of a job. @throws TypeError if the id would select another path */
export function streamPathOf(jobId: string): string {
  checkSegment('id', jobId);
  return `/images/${encodeURIComponent(jobId)}/events`;
}

/** Maximum silence of a stream. The service sends a heartbeat every 15 s. */
const maxSilenceMs = 40_000;

/**
 * Yields the events of one stream until it ends. Never reconnects.
 *
 * @throws ConnectionError if the stream breaks, or is silent for longer than two heartbeats.
 */
export async function* readStream(
  transport: Transport,
  path: string,
  { after, signal }: StreamOptions,
): AsyncGenerator<StreamStep, void, undefined> {
  const deadline = createDeadline(maxSilenceMs, signal);
  let isOpen = false;
  try {
    const headers = {
      accept: 'text/event-stream',
      ...(after === undefined ? {} : { 'last-event-id': after }),
    };
    const { body } = await transport.open(path, headers, deadline);
    if (!body) return;
    isOpen = true;
    for await (const { id, data } of readServerEvents(body, deadline.extend)) {
      // While the reader works on an event, the client reads nothing. That is no silence of the service.
      deadline.stop();
      yield { id, event: data === undefined ? undefined : (JSON.parse(data) as ImageEvent) };
      deadline.extend();
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    // An event that is no JSON was damaged on its way.
    const isBroken = isOpen && (isConnectionFailure(error) || error instanceof SyntaxError);
    if (deadline.hasPassed() || isBroken) {
      throw new ConnectionError('The stream broke', error);
    }
    throw error;
  } finally {
    deadline.end();
  }
}
