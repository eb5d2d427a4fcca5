import { type GenerationRequest, readGenerationRequest } from './generation-request.ts';
import { invalid } from './refusals.ts';
import { isRecord, readResponseRequest } from './text-request.ts';

type Body = Readonly<Record<string, unknown>>;

/** A request for an image in the background of the Responses API. */
export type ToolRequest = {
  readonly hostModelName: string;
  readonly prompt: string;
  /** The parameters of the tool, as a request of the Images API. */
  readonly image: GenerationRequest;
};

/** Returns true if a body uses the image tool. */
export function requestsImage(body: Body): boolean {
  return imageToolOf(body) !== undefined;
}

/**
 * Reads a body that uses the image tool.
 * @throws StudioRefusal 400 naming the parameter, or 404 for a model that was shut down.
 */
export function readToolRequest(body: Body): ToolRequest {
  const { model, prompt } = readResponseRequest(body);
  if (body.background !== true || body.store === false) {
    throw invalid(
      'background',
      'unsupported_value',
      'The studio uses the image tool with background and store only.',
    );
  }
  const { type: _type, action: _action, ...parameters } = imageToolOf(body) ?? {};
  return {
    hostModelName: model,
    prompt,
    image: readGenerationRequest({ ...parameters, prompt, stream: body.stream === true }),
  };
}

function imageToolOf({ tools }: Body): Body | undefined {
  return Array.isArray(tools)
    ? tools.filter(isRecord).find(({ type }) => type === 'image_generation')
    : undefined;
}
