import { randomUUID } from 'node:crypto';
import type { CallInput, ImageCall } from '../../../../domain/ports.ts';
import { imagesBody } from './request-body.ts';
import { type BodyPart, createStreamedBody, type StreamedBody } from './streamed-body.ts';

const extensions: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
};

/**
 * Builds the multipart body of an edit, with the field names of the official client: `image` for one file, `image[]` for
 * several. The client itself would hold all files in memory.
 */
export function editForm(call: ImageCall): StreamedBody & { readonly contentType: string } {
  const boundary = `darkroom-${randomUUID()}`;
  const inputs = call.inputs ?? [];
  const images = inputs.filter(({ role }) => role === 'image').length;
  const parts: BodyPart[] = [
    ...fieldsOf(imagesBody(call)).map(([name, value]) => fieldPart(boundary, name, value)),
    ...inputs.flatMap((input) => filePart(boundary, fieldOf(input, images), input)),
    `--${boundary}--\r\n`,
  ];
  return { ...createStreamedBody(parts), contentType: `multipart/form-data; boundary=${boundary}` };
}

function fieldOf({ role }: CallInput, images: number): string {
  if (role !== 'image') return role;
  return images === 1 ? 'image' : 'image[]';
}

function fieldPart(boundary: string, name: string, value: string): string {
  return `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"\r\n\r\n${value}\r\n`;
}

function filePart(boundary: string, name: string, input: CallInput): BodyPart[] {
  const fileName = `${input.role}-${input.index}.${extensions[input.contentType] ?? 'bin'}`;
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${fileName}"\r\nContent-Type: ${input.contentType}\r\n\r\n`;
  return [head, { input, encoding: 'bytes' }, '\r\n'];
}

/** Escapes the name of a field as browsers do (WHATWG HTML, multipart form data). */
const quoted = (name: string) => name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');

/** Returns the fields of a form: nested members in brackets, as the official client writes them. */
function fieldsOf(value: unknown, name = ''): [name: string, value: string][] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => fieldsOf(item, `${name}[]`));
  if (typeof value !== 'object') return [[name, String(value)]];
  return Object.entries(value).flatMap(([key, item]) =>
    fieldsOf(item, name === '' ? key : `${name}[${key}]`),
  );
}
