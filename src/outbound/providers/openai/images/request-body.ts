import type { OpenAI } from 'openai';
import type { ImageCall } from '../../../../domain/ports.ts';

/** Parameters that callers cannot set. Darkroom sets them, or their result would be charged without being used. */
const decided = new Set(['model', 'prompt', 'n', 'stream', 'partial_images']);
/** Parameters that identify the caller. In the Responses API they belong to the request, not to its tool. */
const aboutTheCaller = new Set(['safety_identifier', 'user']);

/** Builds the request for one image, without streaming. A stream has another shape, and its partial images are charged. */
export function imagesBody(call: ImageCall): OpenAI.Images.ImageGenerateParamsNonStreaming {
  const parameters = pick(call, (name) => !decided.has(name));
  return { ...parameters, model: call.model, prompt: call.prompt, n: 1 };
}

/** A request with `max_tool_calls`. The API accepts it, but the client's type of the request lacks it. */
type BackgroundBody = OpenAI.Responses.ResponseCreateParamsNonStreaming & { readonly max_tool_calls: number };

/**
 * Builds the request for one image in the background mode of the Responses API, in which a host model runs the image tool.
 * The request forces the tool. It also limits the tool to one call, because every call is charged.
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
