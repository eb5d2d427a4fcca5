import type { FastifyRequest } from 'fastify';
import { AppError } from '../../domain/errors.ts';
import type { ImageRequestBody, ImageRequestFields } from '../../domain/image-request.ts';
import { type InputRole, maxInputImages, pointerOf } from '../../domain/input-image.ts';
import type { RequestedInput } from '../../domain/ports.ts';
import type { ReceivedFile } from '../../usecases/inputs/collect-inputs.ts';
import type { Inputs } from '../../usecases/inputs/index.ts';
import { type FileRules, filesOf } from './file-bodies.ts';
import { typedFields } from './form-fields.ts';
import { maxBodyBytes, maxRequestTextBytes } from './max-body-size.ts';
import { callerOf } from './plugins/authenticate.ts';
import { fileExpected, isNested } from './receive-form.ts';
import { components } from './schemas/index.ts';

/** Names of the fields of images. Some clients number the fields of a list. */
const imageField = /^images?(\[[0-9]{0,2}\])?$/;

/** Returns the role of a file by the name of its field; `null` for an unknown name. */
export function roleOfField(field: string): InputRole | null {
  if (imageField.test(field)) return 'image';
  return field === 'mask' || field === 'markup' ? field : null;
}

/** Returns the rules for forms that describe an edit. One file more than allowed, so that the error names the limit. */
export function editFilesOfForm(bodyOf: FileRules['bodyOf']): FileRules {
  return {
    isFileField: (field) => roleOfField(field) !== null,
    fileFields: 'image, image[], images, mask or markup',
    maxFiles: maxInputImages + 3,
    pointerOf: pointerOfFile,
    bodyOf,
  };
}

/** Returns the pointer of a file as it has one in JSON. */
function pointerOfFile(field: string, before: readonly string[]): string {
  const role = roleOfField(field) ?? field;
  const index = before.filter((each) => roleOfField(each) === role).length;
  return role === 'image' && index >= maxInputImages ? '/images' : pointerOf({ role, index });
}

export const editFiles: FileRules = {
  ...editFilesOfForm((fields) => {
    refuseTexts(fields, isNested);
    return typedFields(fields, components.ImageForm ?? {}, (name) => components[name]);
  }),
  isListField: (field) => field === 'images',
};

/**
 * Refuses texts in the fields of files.
 *
 * @param allowed texts that are inputs as JSON.
 */
export function refuseTexts(fields: ReadonlyMap<string, string>, allowed?: RegExp): void {
  const issues = [...fields]
    .filter(([name, text]) => roleOfField(name) !== null && !allowed?.test(text))
    .map(([name]) => ({ pointer: `/${name}`, detail: fileExpected(name) }));
  if (issues.length > 0)
    throw new AppError('validation_failed', { detail: 'Correct the fields listed in errors.', issues });
}

/** Returns the files of an edit in the order of arrival. */
function editFilesOf(request: FastifyRequest): ReceivedFile[] {
  return filesOf(request).flatMap(({ field, file }) => {
    const role = roleOfField(field);
    return role === null ? [] : [{ role, file }];
  });
}

/**
 * Runs work with the inputs of a request, and removes their temporary files before the response waits.
 *
 * @param of.body the request in the form of the native API.
 */
export async function withInputs<Result>(
  { collectInputs }: Pick<Inputs, 'collectInputs'>,
  of: { readonly request: FastifyRequest; readonly body: ImageRequestBody },
  work: (body: ImageRequestFields, inputs: readonly RequestedInput[]) => Promise<Result>,
): Promise<Result> {
  const { body, inputs, release } = await collectInputs(
    callerOf(of.request).tenant,
    of.body,
    editFilesOf(of.request),
  );
  // The data of images must not live as long as the response waits.
  of.request.body = body;
  of.request.releaseBody?.();
  try {
    const result = await work(body, inputs);
    of.request.received?.end();
    return result;
  } finally {
    await release();
  }
}

/**
 * Refuses a JSON body that is too large besides the data of its images. The schema would count the characters of its texts
 * first, which delays other requests.
 *
 * @throws AppError `payload_too_large`
 */
export function limitTexts(request: FastifyRequest): void {
  const { body, bodyBytes } = request;
  if (bodyBytes <= maxBodyBytes || typeof body !== 'object' || body === null) return;
  const maxBytes = 'images' in body ? maxRequestTextBytes : maxBodyBytes;
  refuseLongTexts(bodyBytes, [body], maxBytes);
}

/**
 * Refuses the JSON-RPC messages of a body like `limitTexts`. The tools of MCP have the inputs of edits as arguments.
 *
 * @throws AppError `payload_too_large`
 */
export function limitTextsOfMessages({ body, bodyBytes }: FastifyRequest): void {
  if (bodyBytes <= maxRequestTextBytes) return;
  const messages = [body].flat() as ({ params?: { arguments?: unknown } } | null)[];
  const tools = messages.map((message) => message?.params?.arguments);
  refuseLongTexts(bodyBytes, tools, maxRequestTextBytes);
}

function refuseLongTexts(bodyBytes: number, requests: readonly unknown[], maxBytes: number): void {
  const dataCharacters = requests.reduce<number>((sum, request) => sum + dataCharactersIn(request), 0);
  if (bodyBytes - dataCharacters <= maxBytes) return;
  throw new AppError('payload_too_large', {
    detail: `The body may have ${maxBytes} bytes besides the data of images.`,
  });
}

function dataCharactersIn(request: unknown): number {
  if (typeof request !== 'object' || request === null) return 0;
  const { images, mask, markup } = request as Partial<ImageRequestBody>;
  const inputs = [...(Array.isArray(images) ? images : []), mask, markup];
  return inputs.reduce((sum, input) => sum + (dataIn(input)?.length ?? 0), 0);
}

/** Returns the data of an input. Clients of OpenAI's API send it as `image_url`, which may be an address too. */
function dataIn(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  const { data, image_url } = input as { data?: unknown; image_url?: unknown };
  const texts = [data, image_url].filter((text) => typeof text === 'string');
  return texts.find((text) => text === data || text.startsWith('data:'));
}
