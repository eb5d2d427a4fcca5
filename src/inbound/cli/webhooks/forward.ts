import type { Darkroom, ImageEvent, ImageJob } from '../../../../clients/typescript/src/index.ts';
import { imageEventTypes } from '../../../domain/image-request.ts';
import { isKnown } from '../../../domain/open.ts';
import { eventIdOf, type ImageEventType, patternsFor } from '../../../domain/webhook-event.ts';
import { payloadText } from '../../../domain/webhook-payload.ts';
import { createWebhookSigner } from '../../../lib/crypto/sign-webhook.ts';
import { createWebhookSecret } from '../../../lib/crypto/webhook-secret.ts';
import { sleep } from '../../../lib/sleep.ts';
import type { CliContext } from '../context.ts';
import { describeFailure, refusalCode, retryAfterMsOf } from '../describe-failure.ts';
import { openClient } from '../service-client.ts';
import { lineOf, type Posted, postWebhook } from './post-webhook.ts';
import { untilStopped } from './until-stopped.ts';

export interface ForwardOptions {
  readonly url: string;
  readonly events: readonly string[];
  readonly secret?: string;
  readonly json?: boolean;
}

const minPauseMs = 500;
const maxPauseMs = 5_000;

/**
 * Posts the events of all jobs of the tenant to a URL until the process is stopped. The webhooks of one job are posted
 * one after the other, those of different jobs at the same time. A failed post is printed and not repeated.
 */
export async function forwardEvents(context: CliContext, options: ForwardOptions): Promise<void> {
  const { url, secret = createWebhookSecret() } = options;
  const client = await openClient(context);
  const stop = new AbortController();
  const stopped = untilStopped().then(() => stop.abort());
  const forward = createForward(context, client, { ...options, secret });
  const queues = new Map<string, Promise<void>>();
  const onOpen = () =>
    context.printError(`Ready. Forwarding to ${url}. Signing secret: ${secret}. Ctrl-C ends it.`);
  const reading = (async () => {
    for await (const event of eventsOf(client, { signal: stop.signal, say: context.printError, onOpen })) {
      const work = (queues.get(event.id) ?? Promise.resolve())
        .then(() => forward(event))
        .catch((error: Error) => context.printError(`${event.type} of ${event.id}: ${error.message}`));
      queues.set(event.id, work);
      void work.finally(() => {
        if (queues.get(event.id) === work) queues.delete(event.id);
      });
    }
  })();
  await Promise.race([reading, stopped]);
  await Promise.all(queues.values());
}

/** Yields the events of all jobs. Opens the stream again after the last position if it is cut. */
async function* eventsOf(
  client: Darkroom,
  options: { signal: AbortSignal; say: (line: string) => void; onOpen: () => void },
): AsyncGenerator<ImageEvent> {
  const { signal, say, onOpen } = options;
  let after: string | undefined;
  let state: 'new' | 'open' | 'cut' = 'new';
  for (let pauseMs = minPauseMs; ; pauseMs = Math.min(2 * pauseMs, maxPauseMs)) {
    let waitMs = pauseMs;
    let reason = 'The event stream was cut';
    try {
      for await (const { id, event } of client.events({ after, signal })) {
        if (state === 'new') onOpen();
        if (state === 'cut') say('The event stream is open again.');
        state = 'open';
        pauseMs = minPauseMs;
        after = id ?? after;
        if (event) yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      const retryAfterMs = retryAfterMsOf(error);
      if (retryAfterMs === undefined) throw error;
      waitMs = Math.max(pauseMs, retryAfterMs);
      reason = describeFailure(error);
    }
    if (signal.aborted) return;
    if (state !== 'cut') say(`${reason}. Reconnecting.`);
    if (state === 'open') state = 'cut';
    await sleep(waitMs, signal);
  }
}

/** Creates the function that posts one event and prints the result. */
function createForward(context: CliContext, client: Darkroom, options: ForwardOptions & { secret: string }) {
  const sign = createWebhookSigner();
  const userAgent = `Darkroom/${context.version} (webhooks listen)`;
  return async (event: ImageEvent): Promise<void> => {
    const { type } = event;
    if (!isKnown(imageEventTypes, type) || !isWanted(type, options.events)) return;
    const job = 'job' in event ? event.job : await read(client, event.id);
    if (!job) return;
    const id = eventIdOf(event.id, type);
    const body = payloadText(type, Date.parse(event.at), job);
    const posted = await postWebhook(options.url, { id, body }, { secret: options.secret, sign, userAgent });
    context.print(options.json ? jsonOf(event, id, posted) : lineOf([event.at, type, event.id, id], posted));
  };
}

function isWanted(type: ImageEventType, events: readonly string[]): boolean {
  return patternsFor(type).some((pattern) => events.includes(pattern));
}

/** Reads the job of an event that does not contain it; `null` if it was erased. */
async function read(client: Darkroom, id: string): Promise<ImageJob | null> {
  try {
    return await client.get(id);
  } catch (error) {
    if (['erased', 'not_found'].includes(refusalCode(error) ?? '')) return null;
    throw error;
  }
}

const jsonOf = ({ type, id: image_id, at }: ImageEvent, id: string, posted: Posted) =>
  JSON.stringify({ id, type, image_id, at, ...posted });
