import { z } from 'zod';
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
      'Seconds to wait for the images. Default: 45. Then the result says that the job is still running.',
    ),
  preview: z.boolean().optional().describe('Whether the result contains a small preview. Default: true.'),
  idempotency_key: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[\x21-\x7e]+$/)
    .optional()
    .describe(
      'Any text that names this image. A repeated call with the same key and arguments costs nothing.',
    ),
};

const requestFields = ImageRequestFields.pick({
  prompt: true,
  model: true,
  n: true,
  size: true,
  quality: true,
  background: true,
  output_format: true,
  output_compression: true,
  preset: true,
  enhance: true,
  metadata: true,
  max_cost_micro_usd: true,
}).shape;

const generateInput = z.strictObject({ ...requestFields, ...callFields });
const editInput = z.strictObject({
  ...requestFields,
  input_fidelity: ImageRequestFields.shape.input_fidelity,
  images: inputFields.images
    .unwrap()
    .describe('Images to edit, 1 to 16: by url, upload_id, or image_id of an earlier job.'),
  mask: inputFields.mask,
  ...callFields,
});

/** Returns the tools that create jobs. Both wait for their images, and cost money. */
export function createImagesTools(deps: CreateImagesDeps): Tool[] {
  async function create(args: z.infer<typeof generateInput | typeof editInput>, context: ToolContext) {
    const { wait_s = defaultWaitSeconds, preview = true, idempotency_key: idempotencyKey, ...request } = args;
    const collected = await deps.inputs.collectInputs(request as ImageRequestBody);
    const { body, inputs } = collected;
    const job = await deps
      .submitOnce(context, { body, inputs, idempotencyKey, args })
      .finally(collected.release);
    const ended = await waitWithProgress(deps.jobs, job, { ...context, seconds: wait_s });
    return deps.present.job(ended, context.call, { preview });
  }

  return [
    defineTool({
      name: 'generate_image',
      title: 'Generate images',
      description:
        'Generates images from a text. Takes 10 to 300 seconds and costs money, see the cost in the result. Returns links, and a job id that get_image takes if the images are not ready in time.',
      input: generateInput,
      scope: 'images:write',
      isReadOnly: false,
      run: create,
    }),
    defineTool({
      name: 'edit_image',
      title: 'Edit images',
      description:
        'Changes or combines images by a text. A mask limits the change to its transparent area. Takes 10 to 300 seconds and costs money.',
      input: editInput,
      scope: 'images:write',
      isReadOnly: false,
      run: create,
    }),
  ];
}
