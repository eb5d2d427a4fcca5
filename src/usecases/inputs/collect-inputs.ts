import { AppError } from '../../domain/errors.ts';
import type { ImageRequestBody, ImageRequestFields } from '../../domain/image-request.ts';
import {
  type InputImage,
  type InputName,
  inputFieldIssues,
  inputRoles,
  maxDataCharacters,
  maxInputBytes,
  pointerOf,
} from '../../domain/input-image.ts';
import type {
  DestinationGuard,
  InputOrigin,
  LocalFile,
  RequestedInput,
  Staging,
} from '../../domain/ports.ts';
import { inputInvalid } from './inspect-input.ts';

interface Deps {
  staging: Staging;
  guard: DestinationGuard;
}

/** A file of a form, in the order of arrival. */
export interface ReceivedFile {
  readonly role: InputName['role'];
  readonly file: LocalFile;
}

export interface CollectedInputs {
  /** The request without its inputs. */
  readonly body: ImageRequestFields;
  readonly inputs: readonly RequestedInput[];
  /** Removes the temporary files of `data`. Must always be called. */
  release(): Promise<void>;
}

/**
 * Separates the inputs of a request from its fields, whatever the form of the request. Data becomes temporary files.
 *
 * @param tenant the tenant that sends the request. Temporary files count towards its room.
 * @param files files of a form. Their removal is up to the caller.
 * @throws AppError `validation_failed`, `payload_too_large`, `destination_forbidden`, `input_invalid`
 */
export function createCollectInputs({ staging, guard }: Deps) {
  async function originOf(
    input: InputImage,
    name: InputName,
    { tenant, written }: { readonly tenant: string; readonly written: LocalFile[] },
  ): Promise<InputOrigin> {
    if (input.upload_id !== undefined) return { kind: 'upload', id: input.upload_id };
    if (input.image_id !== undefined) return { kind: 'image', id: input.image_id, index: input.index ?? 0 };
    if (input.url !== undefined) {
      guard.checkUrl(input.url, `${pointerOf(name)}/url`);
      return { kind: 'url', url: input.url };
    }
    const bytes = bytesOf(input.data ?? '', pointerOf(name));
    const file = await staging.write(bytes, { maxBytes: maxInputBytes, tenant });
    written.push(file);
    return { kind: 'file', file, type: 'data' };
  }

  return async (
    tenant: string,
    request: ImageRequestBody,
    files: readonly ReceivedFile[] = [],
  ): Promise<CollectedInputs> => {
    if (files.length === 0 && !hasInputs(request)) return { body: request, inputs: [], async release() {} };
    const { images = [], mask, markup, ...body } = request;
    const issues = inputFieldIssues(request);
    if (issues.length > 0) {
      throw new AppError('validation_failed', { detail: 'Correct the fields listed in errors.', issues });
    }
    const written: LocalFile[] = [];
    const release = async () => {
      for (const file of written) await staging.remove(file);
    };
    const named: [InputName, InputImage][] = [
      ...images.map((each, index): [InputName, InputImage] => [{ role: 'image', index }, each]),
      ...(mask ? [[{ role: 'mask', index: 0 }, mask] as [InputName, InputImage]] : []),
      ...(markup ? [[{ role: 'markup', index: 0 }, markup] as [InputName, InputImage]] : []),
    ];
    try {
      checkDataSizes(named);
      const inputs: RequestedInput[] = [];
      for (const [name, input] of named)
        inputs.push({ ...name, from: await originOf(input, name, { tenant, written }) });
      return { body, inputs: inRoleOrder([...inputs, ...ofFiles(files, inputs)]), release };
    } catch (error) {
      await release();
      throw error;
    }
  };
}
const hasInputs = ({ images, mask, markup }: ImageRequestBody): boolean =>
  images !== undefined || mask !== undefined || markup !== undefined;

export type CollectInputs = ReturnType<typeof createCollectInputs>;

/** Sorts inputs by role, so that the order of the parts of a form does not matter. */
function inRoleOrder(inputs: readonly RequestedInput[]): RequestedInput[] {
  return inputRoles.flatMap((role) => inputs.filter((each) => each.role === role));
}

function ofFiles(files: readonly ReceivedFile[], before: readonly InputName[]): RequestedInput[] {
  const next = new Map<string, number>();
  for (const { role } of before) next.set(role, (next.get(role) ?? 0) + 1);
  return files.map(({ role, file }) => {
    const index = next.get(role) ?? 0;
    next.set(role, index + 1);
    return { role, index, from: { kind: 'file', file, type: 'multipart' } };
  });
}

function checkDataSizes(named: readonly [InputName, InputImage][]): void {
  for (const [name, { data }] of named) {
    if (data === undefined || data.length <= maxDataCharacters) continue;
    const detail = `must have at most ${maxDataCharacters} characters. Send larger files with POST /uploads`;
    throw new AppError('payload_too_large', {
      // The callers of other APIs know the field by another name.
      detail: `The data of an image ${detail}.`,
      issues: [{ pointer: `${pointerOf(name)}/data`, detail }],
    });
  }
}

const dataUri = /^data:[^,]{0,200}?;base64,/;
/** Characters that are decoded at a time, so that other callers do not wait for long texts. */
const pieceCharacters = 64 * 1024;

/** Decodes base64 piece by piece. Programs wrap it into lines. @throws AppError `input_invalid` */
async function* bytesOf(text: string, pointer: string): AsyncGenerator<Uint8Array, void, undefined> {
  const start = text.startsWith('data:') ? dataUri.exec(text)?.[0].length : 0;
  const fault = () =>
    inputInvalid(pointer, 'The data is not valid base64. Send base64 or a data URI with base64.');
  if (start === undefined) throw fault();
  let rest = '';
  for (let at = start; at < text.length; at += pieceCharacters) {
    const found = rest + text.slice(at, at + pieceCharacters).replace(/\s+/g, '');
    const isLast = at + pieceCharacters >= text.length;
    // Four characters are three bytes. The last of them wait, because only the end of the whole text may be padding.
    const whole = isLast ? found.length : Math.max(0, found.length - (found.length % 4) - 4);
    rest = found.slice(whole);
    const piece = found.slice(0, whole);
    const bytes = Buffer.from(piece, 'base64');
    // Node skips characters that are not base64, so a faulty text becomes shorter than its length says.
    const characters = isLast ? piece.replace(/={1,2}$/, '').length : piece.length;
    if (bytes.length !== Math.floor((characters * 3) / 4) || characters % 4 === 1) {
      throw fault();
    }
    yield bytes;
  }
}
