import { randomUUID } from 'node:crypto';
import { activateFaults, breaksInMiddle, latencyOf, slowBodyMsOf } from './activate-faults.ts';
import { describeImage } from './describe/describe.ts';
import type { Exchange } from './exchange.ts';
import { chargeFor, refusalFor } from './fault-refusals.ts';
import { type Fault, type FaultLog, numberOf } from './faults.ts';
import { JSON_TYPE, sendHtml } from './generate-images.ts';
import { nowSeconds } from './image-fields.ts';
import type { TextRequest } from './text-request.ts';
import { countTextTokens, firstTokens } from './usage.ts';

type TextDeps = { faults: FaultLog; latencyMs: number };

type Reply = { text: string; inputTokens: number; outputTokens: number; isCut: boolean };

/** Builds the response body of one endpoint. */
type ReplyShape = (model: string, reply: Reply) => Record<string, unknown>;

/**
 * Serves POST /v1/chat/completions and /v1/responses: describes the image that the last user message requests. Faults
 * act as for images, by their `enhance-` names.
 */
export async function writeText(
  exchange: Exchange,
  { request, shape }: { request: TextRequest; shape: ReplyShape },
  deps: TextDeps,
): Promise<void> {
  const { call } = exchange;
  const active = activateFaults(exchange, { kind: 'text', prompt: request.prompt }, deps.faults);
  const fault = active.main;
  exchange.slowDown(slowBodyMsOf(active));
  call.charged = fault === null ? 'charged' : chargeFor(fault);
  const refusal = fault === null ? null : refusalFor(fault, call.requestId);
  if (fault?.name === 'hang') return await exchange.waitForever();
  await exchange.pause(latencyOf(active, deps.latencyMs));
  if (refusal !== null) throw refusal;
  if (fault?.name === 'hang-up') return exchange.hangUp();
  if (fault?.name === 'html') return await sendHtml(exchange);
  const body = JSON.stringify(shape(request.model, replyTo(request, fault)));
  await exchange.reply({ status: 200, headers: JSON_TYPE, body, breakInMiddle: breaksInMiddle(active) });
}

function replyTo({ prompt, allText, maxTokens }: TextRequest, fault: Fault | null): Reply {
  const description = fault?.name === 'empty' ? '' : describeImage(prompt);
  const whole = firstTokens(description, maxTokens);
  const isTruncated = fault?.name === 'truncated';
  const text = isTruncated ? whole.slice(0, Math.ceil(whole.length / 2)) : enlarge(whole, fault);
  const isCut = isTruncated || whole !== description;
  return { text, isCut, inputTokens: countTextTokens(allText), outputTokens: countTextTokens(text) };
}

function enlarge(text: string, fault: Fault | null): string {
  if (fault?.name !== 'oversized') return text;
  return text.padEnd(Math.min(256, numberOf(fault, 64)) * 1024 * 1024, ' and more');
}

const newId = (prefix: string) => `${prefix}${randomUUID().replaceAll('-', '')}`;

export const chatCompletion: ReplyShape = (model, { text, inputTokens, outputTokens, isCut }) => ({
  id: newId('chatcmpl-'),
  object: 'chat.completion',
  created: nowSeconds(),
  model,
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: text, refusal: null },
      logprobs: null,
      finish_reason: isCut ? 'length' : 'stop',
    },
  ],
  usage: {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  },
});

export const responseObject: ReplyShape = (model, { text, inputTokens, outputTokens, isCut }) => ({
  id: newId('resp_'),
  object: 'response',
  created_at: nowSeconds(),
  status: isCut ? 'incomplete' : 'completed',
  incomplete_details: isCut ? { reason: 'max_output_tokens' } : null,
  error: null,
  model,
  output: [
    {
      type: 'message',
      id: newId('msg_'),
      role: 'assistant',
      status: isCut ? 'incomplete' : 'completed',
      content: [{ type: 'output_text', text, annotations: [] }],
    },
  ],
  usage: {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: inputTokens + outputTokens,
  },
});
