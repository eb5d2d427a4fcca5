import { withoutFaultWords } from './faults.ts';
import { echo, svgUsageOf, usageOf } from './image-fields.ts';
import { type StoredResponse, statusAt } from './response-store.ts';
import { countTextTokens } from './usage.ts';

/** Returns the JSON of a response object at a time. */
export function responseBody(response: StoredResponse, nowMs: number): Buffer {
  const { id, createdAtMs, hostModelName, outcome, image } = response;
  const status = statusAt(response, nowMs);
  const start = {
    id,
    object: 'response',
    created_at: Math.floor(createdAtMs / 1000),
    status,
    background: true,
    error: status === 'failed' && outcome?.kind === 'failed' ? outcome.error : null,
    incomplete_details: null,
    model: hostModelName,
    store: true,
  };
  if (status !== 'completed' || outcome?.kind === 'failed') {
    return Buffer.from(JSON.stringify({ ...start, output: [], usage: null }));
  }
  const end = { usage: hostModelUsage(image.prompt), tool_usage: { image_gen: usageOfImage(response) } };
  const [head, tail] = [JSON.stringify(start).slice(0, -1), JSON.stringify(end).slice(1)];
  return Buffer.concat([Buffer.from(`${head},"output":[`), ...outputOf(response), Buffer.from(`],${tail}`)]);
}

/** Builds the output items. Base64 is ASCII and needs no escaping, so concatenation takes half the time of JSON.stringify. */
function outputOf({ id, outcome, image }: StoredResponse): Buffer[] {
  if (outcome?.kind !== 'image') {
    const content = [{ type: 'output_text', text: 'There is no image.', annotations: [] }];
    const message = { type: 'message', id: `msg_${id}`, role: 'assistant', status: 'completed', content };
    return [Buffer.from(JSON.stringify(message))];
  }
  const { bytes, cut } = outcome;
  const base64 = bytes.toString('base64');
  const item = JSON.stringify({
    type: 'image_generation_call',
    id: `ig_${id}`,
    status: 'completed',
    revised_prompt: withoutFaultWords(image.prompt),
    ...echo(image),
    ...svgUsageOf(image, bytes),
  });
  const text = cut ? base64.slice(0, base64.length >> 1) : base64;
  return [Buffer.from(`${item.slice(0, -1)},"result":"`), Buffer.from(text, 'latin1'), Buffer.from('"}')];
}

/** Returns the usage of the host model, which reads the prompt and calls the tool with it. */
function hostModelUsage(prompt: string) {
  const tokens = countTextTokens(prompt);
  return {
    input_tokens: tokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 2 * tokens,
  };
}

const usageOfImage = ({ image, outcome }: StoredResponse) =>
  usageOf(image, outcome?.kind === 'image' ? 1 : 0, 0);
