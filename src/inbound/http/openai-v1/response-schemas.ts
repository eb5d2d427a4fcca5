import { z } from 'zod';
import { TokenTotals } from '../../../domain/token-totals.ts';
import type { SchemaGroup } from '../json-schema.ts';
import { OpenAIError } from '../schemas/problem.ts';
import { EditBody, EditForm, OpenAiInput } from './edit-body.ts';
import { FileExpiry, filePurposes, OpenAiDeletedFile, OpenAiFile, OpenAiFileForm } from './files.ts';
import { GenerationBody, responseFormats } from './generation-body.ts';

/** Schemas of the responses that OpenAI's clients read: images, stream events, models and files. */

const unixSeconds = z.int().meta({ format: 'int64' });

const OpenAiImage = z.object({
  b64_json: z.string().optional().describe('The bytes in base64.'),
  url: z.string().optional().describe('A signed link, with `response_format: "url"`.'),
  revised_prompt: z.string().optional(),
});

const OpenAiInputTokens = z.object({ text_tokens: z.int(), image_tokens: z.int() });

const OpenAiUsage = z.object({
  ...TokenTotals.shape,
  input_tokens_details: OpenAiInputTokens.optional().describe(
    'Input tokens by kind. Absent if the provider did not report the share of input images.',
  ),
});

const output = {
  background: z.string(),
  output_format: z.string(),
  quality: z.string(),
  size: z.string(),
  usage: OpenAiUsage.optional(),
  job_id: z.string().describe('Id of the job.'),
};

const warnings = z
  .array(z.string())
  .optional()
  .describe('Changed and ignored fields of the request, and images that are missing.');

/** Response with images. */
const OpenAiImages = z.object({
  created: unixSeconds.describe('Time of the end of the job, in seconds since 1970.'),
  data: z.array(OpenAiImage),
  ...output,
  warnings,
});

/** Data of one event of a stream. */
const OpenAiImageEvent = z.object({
  type: z
    .string()
    .describe(
      '`image_generation.partial_image`, `image_generation.completed`, for edits `image_edit.partial_image`, `image_edit.completed`, or `error`.',
    ),
  b64_json: z.string().optional(),
  created_at: unixSeconds.optional().describe('Time of the event, in seconds since 1970.'),
  partial_image_index: z.int().optional().describe('Number of a preview, from 0.'),
  ...z.object(output).partial().shape,
  warnings,
  error: OpenAIError.optional(),
});

const OpenAiModel = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: unixSeconds.describe('Time of its release, in seconds since 1970.'),
  owned_by: z.string(),
});

const OpenAiModelList = z.object({ object: z.literal('list'), data: z.array(OpenAiModel) });

/** Schemas of the OpenAI-compatible API. */
export const openAiSchemas: SchemaGroup = {
  requests: {
    OpenAiGenerationRequest: GenerationBody,
    OpenAiEditRequest: EditBody,
    OpenAiEditForm: EditForm,
    OpenAiImageInput: OpenAiInput,
    OpenAiFileForm,
    OpenAiFileExpiry: FileExpiry,
  },
  responses: {
    OpenAiImage,
    OpenAiImages,
    OpenAiImageEvent,
    OpenAiInputTokens,
    OpenAiUsage,
    OpenAiModel,
    OpenAiModelList,
    OpenAiFile,
    OpenAiDeletedFile,
  },
  values: {
    OpenAiFilePurpose: {
      values: filePurposes,
      description: 'Purpose of a file. All have the same effect.',
    },
    OpenAiResponseFormat: {
      values: responseFormats,
      description: 'Form of the images in the response. Default: `b64_json`.',
    },
  },
};
