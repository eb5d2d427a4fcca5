import type { Exchange } from './exchange.ts';
import type { Fault } from './faults.ts';
import { echo } from './image-fields.ts';
import { previewOf } from './production.ts';
import { responseBody } from './response-body.ts';
import { type Outcome, type StoredResponse, statusAt } from './response-store.ts';
import { endsHere } from './stream-images.ts';

interface Streaming {
  readonly fault: Fault | null;
  /** Time over which the events are spread. */
  readonly durationMs: number;
  /** Resolves when the image is made. */
  readonly work: Promise<void>;
}

/** Streams a response whose image is made in the background: its id, previews, then the ended response. */
export async function streamResponse(
  exchange: Exchange,
  response: StoredResponse,
  { fault, durationMs, work }: Streaming,
): Promise<void> {
  const { id, image } = response;
  const events = exchange.startEvents();
  let sequence = 0;
  const send = (type: string, fields: object) => {
    sequence += 1;
    return events.send(type, { type, sequence_number: sequence - 1, ...fields });
  };
  const objectAt = (nowMs: number) => ({ response: JSON.parse(responseBody(response, nowMs).toString()) });
  // The outcome is not visible before the response is ready.
  await send('response.created', objectAt(Number.NEGATIVE_INFINITY));
  await work;
  const stepMs = durationMs / (image.partialImages + 1);
  const { outcome } = response;
  const drawn = drawnIn(outcome);
  for (let index = 0; drawn && index < image.partialImages; index++) {
    const preview = await previewOf(drawn, image, { index, count: image.partialImages });
    await exchange.pause(stepMs);
    await send('response.image_generation_call.partial_image', {
      item_id: `ig_${id}`,
      output_index: 0,
      partial_image_index: index,
      partial_image_b64: preview.toString('base64'),
      ...echo(image),
    });
    if (await endsHere(exchange, events, fault)) return;
  }
  if (await endsHere(exchange, events, fault)) return;
  if (response.readyAtMs === Number.POSITIVE_INFINITY) return await exchange.waitForever();
  await exchange.pause(stepMs);
  const endMs = Math.max(Date.now(), response.readyAtMs);
  if (fault?.name !== 'no-final') await send(`response.${statusAt(response, endMs)}`, objectAt(endMs));
  events.end();
}

function drawnIn(outcome: Outcome | null): Buffer | null {
  if (outcome?.kind === 'image') return outcome.bytes;
  return (outcome?.kind === 'failed' && outcome.drawn) || null;
}
