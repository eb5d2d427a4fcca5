/**
 * Follows a job to its end by server-sent events. Reconnects and continues if the connection breaks.
 *
 *   DARKROOM_URL=http://localhost:8080 DARKROOM_API_KEY=... node --import tsx examples/follow-events.ts img_...
 */
import { setTimeout as sleep } from 'node:timers/promises';

const { DARKROOM_URL = 'http://localhost:8080', DARKROOM_API_KEY } = process.env;
const [id] = process.argv.slice(2);
if (!id) throw new Error('Pass the id of a job.');

interface ServerEvent {
  /** Number of the event within the job. A new stream continues after it (`Last-Event-ID`). */
  id: string;
  data: { type: string; status: string; stage: string | null; at: string; job?: Job };
}

/** The members of a job that this program uses. */
interface Job {
  images: { url: string }[];
  error: { code: string; message: string } | null;
}

/** Yields the events of a response body. Lines that begin with a colon only keep the connection alive. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  let buffered = '';
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (buffered + text).split('\n\n');
    buffered = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      const data = field('data');
      if (data) yield { id: field('id') ?? '', data: JSON.parse(data) };
    }
  }
}

/** Follows the job after an event. Returns the id of the last event, and the job if it has ended. */
async function follow(lastEventId: string): Promise<{ lastEventId: string; ended: Job | undefined }> {
  let last = lastEventId;
  try {
    const response = await fetch(new URL(`/images/${id}/events`, DARKROOM_URL), {
      headers: { authorization: `Bearer ${DARKROOM_API_KEY}`, 'last-event-id': last },
    });
    if (response.status >= 400 && response.status < 500) throw new Refused(await response.text());
    for await (const event of eventsOf(response.body ?? new ReadableStream())) {
      const { type, stage, at, job } = event.data;
      console.log(`${at} ${type}${stage ? ` ${stage}` : ''}`);
      last = event.id;
      if (job) return { lastEventId: last, ended: job };
    }
  } catch (error) {
    if (error instanceof Refused) throw error;
    console.error('The connection broke. Reconnecting.');
  }
  return { lastEventId: last, ended: undefined };
}

class Refused extends Error {}

try {
  for (let lastEventId = '0'; ; await sleep(1000)) {
    const { lastEventId: seen, ended } = await follow(lastEventId);
    lastEventId = seen;
    if (!ended) continue;
    for (const { url } of ended.images) console.log(url);
    if (ended.error) console.log(`${ended.error.code}: ${ended.error.message}`);
    break;
  }
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
