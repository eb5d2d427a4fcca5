import { z } from 'zod';
import { isTerminal } from '../../../domain/image-job.ts';
import { type ImageRequestBody, ImageRequestFields } from '../../../domain/image-request.ts';
import { inputFields } from '../../../domain/input-image.ts';
import type { Inputs } from '../../../usecases/inputs/index.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import type { PresentResult } from '../present-result.ts';
import type { SubmitOnce } from '../submit-once.ts';
import { defineTool, type Tool, type ToolContext } from '../tool.ts';
import { waitWithProgress } from '../wait-with-progress.ts';

export interface CreateImagesDeps {
  readonly jobs: Pick<Jobs, 'getJob'>;
  readonly inputs: Pick<Inputs, 'collectInputs'>;
  readonly submitOnce: SubmitOnce;
  readonly present: PresentResult;
}

const defaultWaitSeconds = 45;

/** Arguments about the call, besides the request. */
const callFields = {
  wait_s: z
    .int()
    .min(0)
    .max(defaultWaitSeconds)
    .optional()
    .describe(
      'Seconds to wait for the images. Default: 45. Then the result says that the job is still running. Use 0 to start several images side by side.',
    ),
  preview: z
    .boolean()
    .optional()
    .describe(
      'Whether the result contains a small preview of the first image. Default: true. Use false to save tokens.',
    ),
  idempotency_key: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[\x21-\x7e]+$/, 'Expected visible ASCII characters without spaces')
    .optional()
    .describe(
      'Your name for this image, such as a UUID: ASCII without spaces. A repeated call with the same key and arguments returns the same job and costs nothing. Use a new key for every new image.',
    ),
};

const {
  prompt,
  model,
  n,
  size,
  quality,
  background,
  output_format,
  output_compression,
  preset,
  enhance,
  metadata,
  max_cost_micro_usd,
  input_fidelity,
} = ImageRequestFields.shape;

const requestFields = {
  prompt,
  model: model.describe('Name of a model from list_models. Default: the model of this service.'),
  n: n.describe('Number of images, each of which is paid. Default: 1.'),
  size: size.describe(
    '`auto`, or WIDTHxHEIGHT in pixels as list_models allows, such as 1536x1024. Default: `auto`.',
  ),
  quality: quality.describe(
    '`low`, `medium`, `high` or another value of list_models. `low` costs the least. Default: the model chooses.',
  ),
  background: background.describe('`auto`, `opaque`, or `transparent`, which needs png or webp.'),
  output_format: output_format.describe(
    '`png`, `jpeg`, `webp` or another value of list_models. Default: `png`.',
  ),
  output_compression,
  preset: preset.describe(
    'Name of a preset from list_models, or its name with variables. A preset completes the prompt.',
  ),
  enhance: enhance.describe(
    'Whether a language model writes a detailed prompt first: `off` (default), `auto` (only for short prompts) or `always`. Costs a little more.',
  ),
  metadata: metadata.describe('Up to 16 string pairs that are returned with the job.'),
  max_cost_micro_usd: max_cost_micro_usd.describe(
    'Maximum cost of the call in micro-USD (1000000 = 1 USD). A dearer request is refused before anything is paid.',
  ),
};

const generateInput = z.strictObject({ ...requestFields, ...callFields });
const editInput = z.strictObject({
  ...requestFields,
  input_fidelity: input_fidelity.describe(
    'How closely the result follows the input images: `low`, `high` or another value of list_models.',
  ),
  images: inputFields.images
    .unwrap()
    .describe(
      'Images to edit, 1 to 16. Each is {"image_id": id of an earlier job, "index": 0}, {"url": "https://..."}, {"upload_id": "upl_..."} or {"data": base64}.',
    ),
  mask: inputFields.mask,
  ...callFields,
});

/** Returns the tools that create jobs. Both wait for their images, and cost money. */
export function createImagesTools(deps: CreateImagesDeps): Tool[] {
  async function create(args: z.infer<typeof generateInput | typeof editInput>, context: ToolContext) {
    const { wait_s: waitSeconds, preview = true, idempotency_key: idempotencyKey, ...request } = args;
    const collected = await deps.inputs.collectInputs(
      context.call.caller.tenant,
      request as ImageRequestBody,
    );
    const { body, inputs } = collected;
    const job = await deps
      .submitOnce(context, { body, inputs, idempotencyKey, args })
      .finally(collected.release);
    if (context.taskMode === 'required') return { task: job };
    const hasTask = context.taskMode === 'allowed';
    const seconds = waitSeconds ?? (hasTask ? 0 : defaultWaitSeconds);
    const latest = await waitWithProgress(deps.jobs, job, { ...context, seconds });
    if (hasTask && !isTerminal(latest.status)) return { task: latest };
    return deps.present.job(latest, context.call, { preview });
  }

  return [
    defineTool({
      name: 'generate_image',
      title: 'Generate images',
      description:
        'Generates one or more images from a text and returns links, a small preview and the cost. Costs money. Takes 10 to 300 seconds: after 45 seconds the result may say that the job is still running; then call get_image with its id. Do not repeat the call, because every call without the same idempotency_key pays for a new image. To change an existing image use edit_image.',
      input: generateInput,
      scope: 'images:write',
      isReadOnly: false,
      createsJob: true,
      run: create,
    }),
    defineTool({
      name: 'edit_image',
      title: 'Edit images',
      description:
        'Changes or combines images as a text describes, and returns new images; the originals stay. Takes images of earlier jobs by image_id, https addresses, uploads or base64. A mask limits the change to its transparent area. Costs money and takes as long as generate_image: if the job is still running, call get_image with its id.',
      input: editInput,
      scope: 'images:write',
      isReadOnly: false,
      createsJob: true,
      run: create,
    }),
  ];
}
