import { activateFaults, breaksInMiddle, latencyOf, slowBodyMsOf } from './activate-faults.ts';
import type { CallLog } from './call-log.ts';
import type { Exchange } from './exchange.ts';
import { chargeFor, refusalFor } from './fault-refusals.ts';
import type { Fault, FaultLog } from './faults.ts';
import { type AutoQuality, type GenerationRequest, variedBy } from './generation-request.ts';
import { base64, echo, nowSeconds, svgUsageOf, usageOf } from './image-fields.ts';
import { identify, type Production } from './production.ts';
import { streamImages } from './stream-images.ts';

export type ImageDeps = {
  callLog: CallLog;
  faults: FaultLog;
  produce: Production;
  latencyMs: number;
  /** Quality of generations that leave it to the model. Default: `medium`. */
  autoQuality?: AutoQuality | undefined;
};

/**
 * Serves a request of POST /v1/images/generations or /v1/images/edits. Images are charged as soon as they are made, before the response and any delay:
 * a client that disconnects while it waits has paid, as with a real provider.
 */
export async function generateImages(
  exchange: Exchange,
  requested: GenerationRequest,
  deps: ImageDeps,
): Promise<void> {
  const { call } = exchange;
  const request = variedBy(call.headers.clientRequestId, requested);
  const active = activateFaults(exchange, { kind: kindOf(request), prompt: request.prompt }, deps.faults);
  const fault = active.main;
  const latencyMs = latencyOf(active, deps.latencyMs);
  const streamMs = latencyMs + slowBodyMsOf(active);
  exchange.slowDown(slowBodyMsOf(active));
  const charged = fault === null ? 'charged' : chargeFor(fault);
  const refusal = fault === null ? null : refusalFor(fault, call.requestId);
  if (refusal !== null) {
    call.charged = charged;
    await exchange.pause(latencyMs);
    throw refusal;
  }
  if (fault?.name === 'error-event' && request.stream) {
    call.charged = charged;
    return await streamImages(
      exchange,
      { request, drawn: await deps.produce(request, null), fault },
      streamMs,
    );
  }
  if (charged === 'possible' && fault?.name !== 'error-event') {
    call.charged = charged;
    await exchange.pause(latencyMs);
    return await responseWithoutImages(exchange, { request, fault, callLog: deps.callLog });
  }
  const drawn = await deps.produce(request, fault);
  const partials = request.stream ? request.partialImages : 0;
  await deps.callLog.charge(call, drawn.map(identify), usageOf(request, drawn.length, partials));
  if (fault?.name === 'hang') return await exchange.waitForever();
  if (request.stream && fault?.name !== 'hang-up') {
    return await streamImages(exchange, { request, drawn, fault }, streamMs);
  }
  await exchange.pause(latencyMs);
  if (fault?.name === 'hang-up') return exchange.hangUp();
  await exchange.reply({
    status: 200,
    headers: JSON_TYPE,
    body: responseBody(request, drawn, fault),
    breakInMiddle: breaksInMiddle(active),
  });
}

/** Returns the kind of call, which decides the faults that act on it. */
export const kindOf = ({ inputs }: GenerationRequest) => (inputs === null ? 'image' : 'edit');

export const JSON_TYPE = { 'content-type': 'application/json' };

/** Sends a 200 page of HTML, as a misconfigured proxy does. */
export const sendHtml = (exchange: Exchange) =>
  exchange.reply({
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: '<html><body><h1>It works!</h1></body></html>',
  });

async function responseWithoutImages(
  exchange: Exchange,
  { request, fault, callLog }: { request: GenerationRequest; fault: Fault | null; callLog: CallLog },
): Promise<void> {
  if (fault?.name === 'html') return await sendHtml(exchange);
  if (request.stream) return exchange.startEvents().end();
  // The body states a usage, so the ledger has to state the same.
  await callLog.charge(exchange.call, [], usageOf(request, 0, 0));
  await exchange.reply({ status: 200, headers: JSON_TYPE, body: responseBody(request, [], fault) });
}

/** Builds the JSON of a response. Base64 is ASCII and needs no escaping, so concatenation takes half the time of JSON.stringify. */
function responseBody(request: GenerationRequest, drawn: Buffer[], fault: Fault | null): Buffer {
  const data = drawn.map((bytes) => `{"b64_json":"${base64(bytes, fault)}"}`).join();
  const rest = JSON.stringify({
    ...echo(request),
    usage: usageOf(request, drawn.length, 0),
    ...svgUsageOf(request, drawn[0]),
  });
  return Buffer.from(`{"created":${nowSeconds()},"data":[${data}],${rest.slice(1)}`, 'latin1');
}
