import { decodeInputs } from './edits/decode-inputs.ts';
import { asEdit } from './edits/edit-request.ts';
import { fileOfReference, type InputFile } from './edits/input-files.ts';
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
  readonly files: readonly InputFile[];
};

/** Returns true if a body uses the image tool. */
export function requestsImage(body: Body): boolean {
  return imageToolOf(body) !== undefined;
}

/**
 * Reads a body that uses the image tool.
 * @throws StudioRefusal 400 naming the parameter, or 404 for a model that was shut down.
 */
export async function readToolRequest(body: Body): Promise<ToolRequest> {
  const { model, prompt } = readResponseRequest(body);
  if (body.background !== true || body.store === false) {
    throw invalid(
      'background',
      'unsupported_value',
      'The studio uses the image tool with background and store only.',
    );
  }
  const { type: _type, action, input_image_mask: mask, ...parameters } = imageToolOf(body) ?? {};
  const files = action === 'generate' ? [] : filesOf(body, mask);
  // Without a model of its own, the host model writes a drawing.
  const svg = parameters.output_format === 'svg' ? { svg: { model, ...Object(parameters.svg) } } : {};
  const fields = { ...parameters, ...svg, prompt, stream: body.stream === true };
  const image =
    files.length === 0 && action !== 'edit'
      ? readGenerationRequest(fields)
      : asEdit(fields, await decodeInputs(files));
  return { hostModelName: model, prompt, image, files };
}

/** Returns the `input_image` parts of all messages, and the mask of the tool. */
function filesOf({ input }: Body, mask: unknown): InputFile[] {
  const parts = (Array.isArray(input) ? input : [])
    .filter(isRecord)
    .flatMap(({ content }) => (Array.isArray(content) ? content.filter(isRecord) : []))
    .filter(({ type }) => type === 'input_image');
  const images = parts.map((part, index) => fileOfReference(part, 'image', `input_image[${index}]`));
  if (mask === undefined || mask === null || images.length === 0) return images;
  return [...images, fileOfReference(mask, 'mask', 'tools.input_image_mask')];
}

function imageToolOf({ tools }: Body): Body | undefined {
  return Array.isArray(tools)
    ? tools.filter(isRecord).find(({ type }) => type === 'image_generation')
    : undefined;
}
