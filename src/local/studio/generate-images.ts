import type { CallLog } from './call-log.ts';
import type { Exchange } from './exchange.ts';
import { chargeFor, refusalFor } from './fault-refusals.ts';
import { type ActiveFaults, type Fault, type FaultLog, numberOf, readFaults } from './faults.ts';
import { type GenerationRequest, readGenerationRequest, variedBy } from './generation-request.ts';
import { identify, type Production, previewOf } from './production.ts';
import { imageUsage } from './usage.ts';

export type ImageDeps = { callLog: CallLog; faults: FaultLog; produce: Production; latencyMs: number };

type Body = Readonly<Record<string, unknown>>;

/**
 * Serves POST /v1/images/generations. Images are charged as soon as they are made, before the response and any delay:
 * a client that disconnects while it waits has paid, as with a real provider.
 */
export async function generateImages(exchange: Exchange, body: Body, deps: ImageDeps): Promise<void> {
  const { call } = exchange;
  const request = variedBy(call.headers.clientRequestId, readGenerationRequest(body));
  const active = deps.faults.activate(
    request.prompt,
    readFaults('image', request.prompt, call.headers.fault),
  );
  const fault = active.main;
  call.fault = (fault ?? active.latency ?? active.slowBody)?.text ?? null;
  const latencyMs = active.latency === null ? deps.latencyMs : numberOf(active.latency, 1000);
  const charged = fault === null ? 'charged' : chargeFor(fault);
  const refusal = fault === null ? null : refusalFor(fault, call.requestId);
  if (refusal !== null) {
    call.charged = charged;
    await exchange.pause(latencyMs);
    throw refusal;
  }
  if (charged === 'possible') {
    call.charged = charged;
    await exchange.pause(latencyMs);
    return await responseWithoutImages(exchange, request, fault);
  }
  const drawn = await deps.produce(request, fault);
  await deps.callLog.charge(call, drawn.map(identify));
  if (fault?.name === 'hang') return await exchange.waitForever();
  if (request.stream && fault?.name !== 'hang-up') {
    return await streamImages(exchange, { request, drawn, fault }, latencyMs);
  }
  await exchange.pause(latencyMs);
  if (fault?.name === 'hang-up') return exchange.hangUp();
  await exchange.reply({
    status: 200,
    headers: JSON_TYPE,
    body: responseBody(request, drawn, fault),
    ...deliveryOf(active),
  });
}

export const JSON_TYPE = { 'content-type': 'application/json' };

/** Returns how the active faults change the delivery of the body. */
export const deliveryOf = ({ main, slowBody }: ActiveFaults) => ({
  breakInMiddle: main?.name === 'hang-up-mid',
  slowBodyMs: slowBody === null ? 0 : numberOf(slowBody, 1000),
});

/** Sends a 200 page of HTML, as a misconfigured proxy does. */
export const sendHtml = (exchange: Exchange) =>
  exchange.reply({
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: '<html><body><h1>It works!</h1></body></html>',
  });

async function responseWithoutImages(
  exchange: Exchange,
  request: GenerationRequest,
  fault: Fault | null,
): Promise<void> {
  if (fault?.name === 'html') return await sendHtml(exchange);
  if (request.stream) return exchange.startEvents().end();
  await exchange.reply({ status: 200, headers: JSON_TYPE, body: responseBody(request, [], fault) });
}

/** Builds the JSON of a response. Base64 is ASCII and needs no escaping, so concatenation takes half the time of JSON.stringify. */
function responseBody(request: GenerationRequest, drawn: Buffer[], fault: Fault | null): Buffer {
  const data = drawn.map((bytes) => `{"b64_json":"${base64(bytes, fault)}"}`).join();
  const rest = JSON.stringify({ ...echo(request), usage: usageOf(request, drawn.length, 0) });
  return Buffer.from(`{"created":${nowSeconds()},"data":[${data}],${rest.slice(1)}`, 'latin1');
}

const nowSeconds = () => Math.floor(Date.now() / 1000);

function base64(bytes: Buffer, fault: Fault | null): string {
  const text = bytes.toString('base64');
  return fault?.name === 'truncated' ? text.slice(0, Math.floor(text.length / 2)) : text;
}

/** Returns the request parameters that a response repeats. */
export const echo = ({ background, format, quality, width, height }: GenerationRequest) => ({
  background,
  output_format: format,
  quality,
  size: `${width}x${height}`,
});

/** Returns the usage of the images of a request. */
export const usageOf = (
  { prompt, family, width, height, quality }: GenerationRequest,
  images: number,
  partials: number,
) => imageUsage({ prompt, family, width, height, quality, images, partialImages: partials });

type ImageStream = { request: GenerationRequest; drawn: Buffer[]; fault: Fault | null };

/** Sends the images as events: previews with growing detail, then the finished image with its usage. */
async function streamImages(
  exchange: Exchange,
  { request, drawn, fault }: ImageStream,
  latencyMs: number,
): Promise<void> {
  const count = fault?.name === 'not-an-image' || fault?.name === 'huge' ? 0 : request.partialImages;
  const stepMs = latencyMs / (drawn.length * (count + 1));
  const events = exchange.startEvents();
  for (const [position, image] of drawn.entries()) {
    for (let index = 0; index < count; index++) {
      const preview = await previewOf(image, request, { index, count });
      await exchange.pause(stepMs);
      await events.send('image_generation.partial_image', {
        type: 'image_generation.partial_image',
        b64_json: base64(preview, null),
        partial_image_index: index,
        created_at: nowSeconds(),
        ...echo(request),
      });
      if (fault?.name === 'hang-up-mid') return exchange.hangUp();
    }
    await exchange.pause(stepMs);
    if (fault?.name === 'hang-up-mid') return exchange.hangUp();
    // The prompt is billed with the first image only.
    const usage = usageOf(position === 0 ? request : { ...request, prompt: '' }, 1, count);
    await events.send('image_generation.completed', {
      type: 'image_generation.completed',
      b64_json: base64(image, fault),
      created_at: nowSeconds(),
      ...echo(request),
      usage,
    });
  }
  events.end();
}
