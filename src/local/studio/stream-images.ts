import type { Exchange } from './exchange.ts';
import { streamErrorFor } from './fault-refusals.ts';
import type { Fault } from './faults.ts';
import type { GenerationRequest } from './generation-request.ts';
import { base64, echo, nowSeconds, usageOf } from './image-fields.ts';
import { previewOf } from './production.ts';

type ImageStream = {
  readonly request: GenerationRequest;
  readonly drawn: readonly Buffer[];
  readonly fault: Fault | null;
};

/**
 * Sends the images as events: previews with growing detail, then the finished image with its usage.
 *
 * @param durationMs time over which the events are spread.
 */
export async function streamImages(
  exchange: Exchange,
  { request, drawn, fault }: ImageStream,
  durationMs: number,
): Promise<void> {
  const count = fault?.name === 'not-an-image' || fault?.name === 'huge' ? 0 : request.partialImages;
  const stepMs = durationMs / (drawn.length * (count + 1));
  const events = exchange.startEvents();
  const kind = request.inputs === null ? 'image_generation' : 'image_edit';
  const send = async (name: string, fields: object) => {
    const type = `${kind}.${name}`;
    await exchange.pause(stepMs);
    await events.send(type, { type, created_at: nowSeconds(), ...echo(request), ...fields });
  };
  for (const [position, image] of drawn.entries()) {
    const sendFinal = () =>
      send('completed', {
        b64_json: base64(image, fault),
        // The prompt and the inputs are billed with the first image only.
        usage: usageOf(position === 0 ? request : { ...request, prompt: '', inputTokens: 0 }, 1, count),
      });
    if (fault?.name === 'final-first') await sendFinal();
    for (let index = 0; index < count; index++) {
      const preview = await previewOf(image, request, { index, count });
      await send('partial_image', {
        b64_json: base64(preview, null),
        partial_image_index: index,
      });
      if (await endsHere(exchange, events, fault)) return;
    }
    if (count === 0 && breaksStream(fault)) await exchange.pause(stepMs);
    if (count === 0 && (await endsHere(exchange, events, fault))) return;
    if (fault?.name !== 'final-first' && fault?.name !== 'no-final') await sendFinal();
  }
  events.end();
}

const breaksStream = (fault: Fault | null) =>
  fault !== null && ['hang-mid', 'hang-up-mid', 'error-event'].includes(fault.name);

/** Ends a stream in its middle if the fault requests it. Returns whether it did. */
export async function endsHere(
  exchange: Exchange,
  events: ReturnType<Exchange['startEvents']>,
  fault: Fault | null,
): Promise<boolean> {
  if (fault?.name === 'hang-mid') return await exchange.waitForever();
  if (fault?.name === 'hang-up-mid') exchange.hangUp();
  else if (fault?.name === 'error-event') {
    await events.send('error', { type: 'error', error: streamErrorFor(fault) });
    events.end();
  } else return false;
  return true;
}
