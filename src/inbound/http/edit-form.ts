import type { FastifyRequest } from 'fastify';
import { AppError } from '../../domain/errors.ts';
import type { ImageRequestBody } from '../../domain/image-request.ts';
import { type InputRole, maxInputImages } from '../../domain/input-image.ts';
import type { ReceivedFile } from '../../usecases/inputs/collect-inputs.ts';
import { type FileRules, filesOf } from './file-bodies.ts';
import { typedFields } from './form-fields.ts';
import { maxBodyBytes, maxRequestTextBytes } from './max-body-size.ts';
import { components } from './schemas/index.ts';

/** Names of the fields of images. Some clients number the fields of a list. */
const imageField = /^images?(\[[0-9]{0,2}\])?$/;

/** Returns the role of a file by the name of its field; `null` for an unknown name. */
export function roleOfField(field: string): InputRole | null {
  if (imageField.test(field)) return 'image';
  return field === 'mask' || field === 'markup' ? field : null;
}

/** Files of a form that describes an edit. One more than allowed, so that the error names the limit. */
export const editFiles: FileRules = {
  isFileField: (field) => roleOfField(field) !== null,
  maxFiles: maxInputImages + 3,
  bodyOf: (fields) => typedFields(fields, components.ImageForm ?? {}, (name) => components[name]),
};

/** Returns the files of an edit in the order of arrival. */
export function editFilesOf(request: FastifyRequest): ReceivedFile[] {
  return filesOf(request).flatMap(({ field, file }) => {
    const role = roleOfField(field);
    return role === null ? [] : [{ role, file }];
  });
}

/**
 * Refuses a JSON body that is too large besides the data of its images. The schema would count the characters of its texts
 * first, which delays other requests.
 *
 * @throws AppError `payload_too_large`
 */
export async function limitTexts(request: FastifyRequest): Promise<void> {
  const { body, bodyBytes } = request;
  if (bodyBytes <= maxBodyBytes || typeof body !== 'object' || body === null) return;
  const { images, mask, markup } = body as Partial<ImageRequestBody>;
  const inputs = [...(Array.isArray(images) ? images : []), mask, markup];
  const dataCharacters = inputs.reduce((sum, input) => sum + (stringIn(input)?.length ?? 0), 0);
  const maxBytes = images === undefined ? maxBodyBytes : maxRequestTextBytes;
  if (bodyBytes - dataCharacters <= maxBytes) return;
  throw new AppError('payload_too_large', {
    detail: `The body may have ${maxBytes} bytes besides the data of images.`,
  });
}

function stringIn(input: unknown): string | undefined {
  const data = typeof input === 'object' && input !== null ? (input as { data?: unknown }).data : undefined;
  return typeof data === 'string' ? data : undefined;
}
