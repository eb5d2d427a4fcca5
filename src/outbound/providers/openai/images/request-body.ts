import type { OpenAI } from 'openai';
import type { ImageCall } from '../../../../domain/ports.ts';

/** Never the caller's: Darkroom decides on them, or they would be charged for without being used. */
const decided = new Set(['model', 'prompt', 'n', 'stream', 'partial_images']);
/** Who asks: in the Responses API these belong to the request, not to its tool. */
const aboutTheCaller = new Set(['safety_identifier', 'user']);

/** One image, not streamed: a stream would be charged for its partial images and has another shape. */
export function imagesBody(call: ImageCall): OpenAI.Images.ImageGenerateParamsNonStreaming {
  const parameters = pick(call, (name) => !decided.has(name));
  return { ...parameters, model: call.model, prompt: call.prompt, n: 1 };
}

/** The API takes `max_tool_calls`; the types of the client know it in another place only. */
type BackgroundBody = OpenAI.Responses.ResponseCreateParamsNonStreaming & { readonly max_tool_calls: number };

/**
 * The same image as work in the background of the Responses API, where a language model carries the call. It has to
 * use the tool, and left to itself it may do so several times, each of which is charged.
 */
export function backgroundBody(call: ImageCall, hostModelName: string): BackgroundBody {
  const tool = pick(call, (name) => !decided.has(name) && !aboutTheCaller.has(name));
  return {
    ...pick(call, (name) => aboutTheCaller.has(name)),
    model: hostModelName,
    input: call.prompt,
    background: true,
    store: true,
    tools: [{ ...tool, type: 'image_generation', model: call.model }],
    tool_choice: { type: 'image_generation' },
    max_tool_calls: 1,
    parallel_tool_calls: false,
  };
}

function pick(call: ImageCall, wanted: (name: string) => boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(call.parameters).filter(([name]) => wanted(name)));
}
