import type { OpenAI } from 'openai';
import type { ImageCall } from '../../../../domain/ports.ts';

/** Parameters that Darkroom sets itself. */
const decided = new Set(['model', 'prompt', 'n', 'stream', 'partial_images']);
/** Parameters that identify the caller. In the Responses API they belong to the request, not to its tool. */
const aboutTheCaller = new Set(['safety_identifier', 'user']);

/**
 * Returns the number of previews that a call requests. None for a model that sends links: only a response that is no stream
 * has its link followed, and the link is paid.
 */
export function partialImagesOf({
  parameters,
  sendsLinks,
}: Pick<ImageCall, 'parameters' | 'sendsLinks'>): number {
  const { partial_images: wanted } = parameters;
  if (sendsLinks) return 0;
  return typeof wanted === 'number' && wanted > 0 ? wanted : 0;
}

/** Builds the request for one image. Only a request for previews streams, because a stream has another shape. */
export function imagesBody(call: ImageCall): OpenAI.Images.ImageGenerateParams {
  const parameters = pick(call, (name) => !decided.has(name));
  const partial_images = partialImagesOf(call);
  const streaming = partial_images > 0 ? { stream: true, partial_images } : {};
  return { ...parameters, model: call.model, prompt: call.prompt, n: 1, ...streaming };
}

/** A request with `max_tool_calls`. The API accepts it, but the client's type of the request lacks it. */
type BackgroundBody = OpenAI.Responses.ResponseCreateParams & { readonly max_tool_calls: number };

/**
 * Builds the request for one image in the background mode of the Responses API, in which a host model runs the image tool.
 * The request forces the tool. It also limits the tool to one call, because every call is charged. A request for previews
 * streams them.
 */
export function backgroundBody(call: ImageCall, hostModelName: string): BackgroundBody {
  const tool = pick(call, (name) => !decided.has(name) && !aboutTheCaller.has(name));
  const partial_images = partialImagesOf(call);
  return {
    ...(partial_images > 0 ? { stream: true } : {}),
    ...pick(call, (name) => aboutTheCaller.has(name)),
    model: hostModelName,
    input: call.prompt,
    background: true,
    store: true,
    tools: [
      {
        ...tool,
        ...(partial_images > 0 ? { partial_images } : {}),
        type: 'image_generation',
        model: call.model,
      },
    ],
    tool_choice: { type: 'image_generation' },
    max_tool_calls: 1,
    parallel_tool_calls: false,
  };
}

function pick(call: ImageCall, wanted: (name: string) => boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(call.parameters).filter(([name]) => wanted(name)));
}
