import { createHash } from 'node:crypto';
import { invalid } from '../refusals.ts';
import { isRecord } from '../text-request.ts';
import type { FormFile } from './read-form.ts';

export type InputRole = 'image' | 'mask' | 'markup';

/** A file that a call sent, not yet decoded. */
export type InputFile = {
  readonly role: InputRole;
  /** Name of the parameter in errors. */
  readonly param: string;
  /** Path or bytes. */
  readonly source: string | Buffer;
  readonly sizeBytes: number;
  readonly sha256: string;
};

const ROLES: readonly (readonly [role: InputRole, field: RegExp])[] = [
  ['image', /^image(\[[0-9]*\])?$/],
  ['mask', /^mask$/],
  ['markup', /^markup$/],
];

const roleOf = (field: string) => ROLES.find(([, pattern]) => pattern.test(field))?.[0];

/**
 * Returns the inputs of a form.
 * @throws StudioRefusal 400 for a file in an unknown field, or text in a field for files.
 */
export function filesOfForm(
  files: readonly FormFile[],
  fields: Readonly<Record<string, string>>,
): InputFile[] {
  const text = Object.keys(fields).find((name) => roleOf(name) !== undefined);
  if (text !== undefined) {
    const message = `Invalid type for '${text}': expected a file, but got a string instead.`;
    throw invalid(text, 'invalid_type', message);
  }
  let images = 0;
  return files.map(({ field, path, sizeBytes, sha256 }) => {
    const role = roleOf(field);
    if (role === undefined) throw invalid(field, 'unknown_parameter', `Unknown parameter: '${field}'.`);
    const param = role === 'image' ? `image[${images++}]` : role;
    return { role, param, source: path, sizeBytes, sha256 };
  });
}

/**
 * Reads `{image_url}` of a JSON body or an `input_image` part.
 * @throws StudioRefusal 400 for ids of files and for links, which need a network.
 */
export function fileOfReference(reference: unknown, role: InputRole, param: string): InputFile {
  const { image_url: url, file_id: fileId } = isRecord(reference) ? reference : {};
  if ((url === undefined || url === null) === (fileId === undefined || fileId === null)) {
    const message = `Invalid '${param}': exactly one of image_url and file_id is required.`;
    throw invalid(param, 'invalid_value', message);
  }
  if (fileId !== undefined && fileId !== null) {
    throw invalid(`${param}.file_id`, 'invalid_value', `No such File object: ${String(fileId)}.`);
  }
  const [, data] =
    /^data:[^,]{0,200};base64,([A-Za-z0-9+/_=\s-]*)$/.exec(typeof url === 'string' ? url : '') ?? [];
  if (data === undefined) {
    const message = `Invalid '${param}.image_url'. The studio is offline and reads base64 data URLs only.`;
    throw invalid(`${param}.image_url`, 'invalid_image_url', message);
  }
  const source = Buffer.from(data, 'base64');
  const sha256 = createHash('sha256').update(source).digest('hex');
  return { role, param, source, sizeBytes: source.length, sha256 };
}

/**
 * Returns the inputs of a JSON body of POST /images/edits.
 * @throws StudioRefusal 400
 */
export function filesOfBody({ images, mask }: Readonly<Record<string, unknown>>): InputFile[] {
  if (!Array.isArray(images)) {
    throw invalid('images', 'missing_required_parameter', "Missing required parameter: 'images'.");
  }
  const files = images.map((image, index) => fileOfReference(image, 'image', `images[${index}]`));
  return mask === undefined || mask === null ? files : [...files, fileOfReference(mask, 'mask', 'mask')];
}
