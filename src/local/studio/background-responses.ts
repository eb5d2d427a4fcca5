import { activateFaults, breaksInMiddle, latencyOf, slowBodyMsOf } from './activate-faults.ts';
import type { OpenCall } from './call-log.ts';
import { breaksUpload, describeInputs } from './edits/edit-images.ts';
import type { Exchange } from './exchange.ts';
import { chargeFor, refusalFor, streamErrorFor } from './fault-refusals.ts';
import type { Fault } from './faults.ts';
import { type ImageDeps, JSON_TYPE, kindOf, sendHtml } from './generate-images.ts';
import { type GenerationRequest, variedBy } from './generation-request.ts';
import { identify } from './production.ts';
import { invalid, refusalError, StudioRefusal } from './refusals.ts';
import { responseBody } from './response-body.ts';
import { type ResponseStore, type StoredResponse, statusAt } from './response-store.ts';
import { streamResponse } from './stream-response.ts';
import { readToolRequest } from './tool-request.ts';

export type BackgroundDeps = ImageDeps & { responses: ResponseStore; clock: () => number };

type Body = Readonly<Record<string, unknown>>;

/**
 * Serves POST /v1/responses with the image tool and `background: true`. Responds with the id, then makes the image even
 * if the client disconnects. The image is charged once, when it is made.
 *
 * Faults act as on the Images API, with these differences: a blocked prompt is accepted and fails in the background;
 * `latency` delays the outcome; `hang` never ends; `hang-up` loses the id; `hang-up-mid` breaks the first body that holds
 * the image, or the stream.
 */
export async function submitRequest(exchange: Exchange, body: Body, deps: BackgroundDeps): Promise<void> {
  const { call } = exchange;
  const { image: requested, files, ...request } = await readToolRequest(body);
  call.inputs = describeInputs(files);
  if (files.length > 0 && breaksUpload(request.prompt, exchange, deps)) return exchange.hangUp();
  const image = variedBy(call.headers.clientRequestId, requested);
  const active = activateFaults(exchange, { kind: kindOf(image), prompt: request.prompt }, deps.faults);
  const fault = active.main;
  call.charged = fault === null ? 'charged' : chargeFor(fault);
  const refusal = fault === null ? null : refusalFor(fault, call.requestId);
  if (refusal !== null && fault?.name !== 'moderation') throw refusal;
  if (fault?.name === 'html') return await sendHtml(exchange);

  const latencyMs = latencyOf(active, deps.latencyMs);
  const response = deps.responses.add({
    ...request,
    // Only the images need the inputs, which are large.
    image: { ...image, inputs: null },
    readyAtMs: fault?.name === 'hang' ? Number.POSITIVE_INFINITY : deps.clock() + latencyMs,
    // The break of a stream counts instead.
    breaksLeft: fault?.name === 'hang-up-mid' && !image.stream ? 1 : 0,
    slowBodyMs: slowBodyMsOf(active),
  });
  const work = produce({ response, image }, { call, fault, refusal }, deps);
  try {
    if (fault?.name === 'hang-up') exchange.hangUp();
    else if (image.stream)
      await streamResponse(exchange, response, { fault, durationMs: latencyMs + slowBodyMsOf(active), work });
    else await sendObject(exchange, { ...response, outcome: null }, deps);
  } finally {
    await work;
  }
}

/** Makes the image in the background. Never rejects: a failure becomes the outcome. */
async function produce(
  { response, image }: { response: StoredResponse; image: GenerationRequest },
  { call, fault, refusal }: { call: OpenCall; fault: Fault | null; refusal: StudioRefusal | null },
  deps: BackgroundDeps,
): Promise<void> {
  try {
    if (refusal !== null) {
      response.outcome = { kind: 'failed', error: refusalError(refusal) };
    } else if (fault?.name === 'error-event') {
      const [drawn] = image.stream ? await deps.produce({ ...image, n: 1 }, null) : [];
      response.outcome = { kind: 'failed', error: streamErrorFor(fault), drawn };
    } else if (call.charged !== 'charged') {
      response.outcome = { kind: 'nothing' };
    } else {
      const [bytes = Buffer.alloc(0)] = await deps.produce({ ...image, n: 1 }, fault);
      await deps.callLog.charge(call, [identify(bytes)]);
      deps.responses.storeImage(response, { bytes, cut: fault?.name === 'truncated' });
    }
  } catch (error) {
    const message = `The studio failed: ${error instanceof Error ? error.message : error}`;
    response.outcome = { kind: 'failed', error: { code: 'server_error', message } };
  }
}

/** Serves GET /v1/responses/{id}. Only faults with `poll-` names act on the poll itself. */
export async function sendResponse(exchange: Exchange, id: string, deps: BackgroundDeps): Promise<void> {
  const response = findResponse(id, deps);
  // A client that waits for events would read an object as an empty stream.
  if (exchange.wantsEvents) {
    throw invalid('stream', 'unsupported_value', 'The studio streams a response at its creation only.');
  }
  const active = activateFaults(exchange, { kind: 'poll', prompt: response.prompt }, deps.faults);
  const fault = active.main;
  if (fault?.name === 'hang') return await exchange.waitForever();
  await exchange.pause(latencyOf(active, 0));
  exchange.slowDown(slowBodyMsOf(active));
  const refusal = fault === null ? null : refusalFor(fault, exchange.call.requestId);
  if (refusal !== null) throw refusal;
  if (fault?.name === 'hang-up') return exchange.hangUp();
  if (fault?.name === 'html') return await sendHtml(exchange);

  const nowMs = deps.clock();
  let breakInMiddle = breaksInMiddle(active);
  const holdsImage = statusAt(response, nowMs) === 'completed' && response.outcome?.kind === 'image';
  if (holdsImage) exchange.slowDown(slowBodyMsOf(active) || response.slowBodyMs);
  if (holdsImage && response.breaksLeft > 0) {
    response.breaksLeft -= 1;
    breakInMiddle = true;
  }
  await exchange.reply({
    status: 200,
    headers: JSON_TYPE,
    body: responseBody(response, nowMs),
    breakInMiddle,
  });
  if (holdsImage && !breakInMiddle) response.wasSent = true;
}

/** Serves POST /v1/responses/{id}/cancel. A response that has ended does not change. */
export async function cancelResponse(exchange: Exchange, id: string, deps: BackgroundDeps): Promise<void> {
  const response = findResponse(id, deps);
  if (statusAt(response, deps.clock()) === 'in_progress') response.isCanceled = true;
  await sendObject(exchange, response, deps);
}

function sendObject(exchange: Exchange, response: StoredResponse, { clock }: BackgroundDeps): Promise<void> {
  return exchange.reply({ status: 200, headers: JSON_TYPE, body: responseBody(response, clock()) });
}

function findResponse(id: string, deps: BackgroundDeps): StoredResponse {
  const response = deps.responses.find(id);
  if (response === undefined) {
    throw new StudioRefusal(404, `Response with id '${id}' not found.`, { param: 'id' });
  }
  return response;
}
