import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { AppError } from '../../domain/errors.ts';
import { maxInputBytes } from '../../domain/input-image.ts';
import { pointerToken } from '../../domain/json-pointer.ts';
import type { LocalFile, Staging } from '../../domain/ports.ts';
import { naming } from '../../usecases/inputs/inspect-input.ts';
import { maxRequestTextBytes } from './max-body-size.ts';

/** A form with its files on disk. */
export interface ReceivedForm {
  readonly fields: ReadonlyMap<string, string>;
  readonly files: readonly FormFile[];
}

export interface FormFile {
  /** Name of the field. */
  readonly field: string;
  /** Name of the file without its folder, if the caller sent one. */
  readonly fileName?: string | undefined;
  readonly file: LocalFile;
}

export interface FormRules {
  readonly staging: Pick<Staging, 'write' | 'remove'>;
  readonly isFileField: (field: string) => boolean;
  /** Names of the fields of files, for people. */
  readonly fileFields: string;
  readonly maxFiles: number;
  /** Returns the pointer of a file in errors. Default: the field. */
  readonly pointerOf?: PointerOfFile | undefined;
}

/** @param before the fields of the files that arrived earlier. */
export type PointerOfFile = (field: string, before: readonly string[]) => string;

const maxFields = 64;
const maxNameBytes = 100;

/**
 * Reads a multipart body. Every file streams to the disk. The first fault ends the reading, and the rest of the body is
 * discarded, so that a client that still sends receives the response.
 *
 * @throws AppError. Files that were written are removed then.
 */
export async function receiveForm(
  headers: IncomingMessage['headers'],
  body: Readable,
  rules: FormRules,
): Promise<ReceivedForm> {
  const parser = openParser(headers);
  const form = createForm(rules);
  const streams: Readable[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const files: Promise<void>[] = [];
      parser.on('file', (field, stream, fileName) => {
        // The stream fails with the parser, whose error is the reason.
        stream.on('error', () => undefined);
        streams.push(stream);
        const written = form.addFile({ field, fileName }, stream);
        files.push(written);
        written.catch(reject);
      });
      parser.on('field', (...[field, value, isNameCut, isCut]) => {
        attempt(() => form.addField(field ?? '', value, isNameCut || isCut), reject);
      });
      for (const limit of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) {
        parser.on(limit, () => reject(tooMany('The form has too many parts.')));
      }
      parser.on('error', (error) => reject(malformed(error)));
      parser.on('finish', () => void Promise.all(files).then(() => resolve(), reject));
      body.on('error', (error) => reject(malformed(error)));
      body.on('close', () => {
        if (!body.readableEnded) reject(malformed(new Error('the connection closed')));
      });
      body.pipe(parser);
    });
    return form;
  } catch (error) {
    body.unpipe(parser);
    body.resume();
    parser.destroy();
    // The parser leaves a file unfinished that it will not read further, and its writer would wait without end.
    for (const stream of streams) stream.destroy(new Error('the form ended early'));
    await form.discard();
    throw error;
  }
}

function attempt(work: () => void, onError: (error: unknown) => void): void {
  try {
    work();
  } catch (error) {
    onError(error);
  }
}

function openParser(headers: IncomingMessage['headers']): Busboy {
  try {
    return new Busboy({
      headers: headers as BusboyHeaders,
      limits: {
        fieldNameSize: maxNameBytes,
        fieldSize: maxRequestTextBytes,
        fields: maxFields,
        parts: maxFields * 2,
        headerPairs: 20,
      },
      isPartAFile: (_field, contentType, fileName) =>
        fileName !== undefined ||
        contentType === 'application/octet-stream' ||
        /^image\//.test(contentType ?? ''),
    });
  } catch (error) {
    throw malformed(error);
  }
}

function createForm({ staging, isFileField, fileFields, maxFiles, pointerOf = pointerOfField }: FormRules) {
  const fields = new Map<string, string>();
  const files: FormFile[] = [];
  const writing: Promise<unknown>[] = [];
  const begun: string[] = [];
  let fieldBytes = 0;

  return {
    fields,
    files,

    addField(field: string, value: string, isCut: boolean): void {
      fieldBytes += Buffer.byteLength(value);
      if (isCut || fieldBytes > maxRequestTextBytes) {
        const detail = `must be shorter: the text of a form may have at most ${maxRequestTextBytes} bytes`;
        throw new AppError('payload_too_large', {
          detail: `${field} ${detail}.`,
          issues: [issue(field, detail)],
        });
      }
      if (fields.has(field)) throw invalid(field, 'occurs more than once');
      fields.set(field, value);
    },

    async addFile(name: Omit<FormFile, 'file'>, stream: AsyncIterable<Uint8Array>): Promise<void> {
      const { field } = name;
      if (!isFileField(field)) throw invalid(field, `is not a field of files. Use ${fileFields}`);
      const pointer = pointerOf(field, begun);
      begun.push(field);
      if (begun.length > maxFiles) throw tooMany(`The form has more than ${maxFiles} files.`, pointer);
      // Files of different sizes end in another order than they begin.
      const at = files.push({ ...name, file: { path: '', sizeBytes: 0, sha256: '' } }) - 1;
      const written = naming(pointer, () => staging.write(stream, { maxBytes: maxInputBytes }));
      writing.push(written);
      files[at] = { ...name, file: await written };
    },

    /** Removes the files after their writes have ended. */
    async discard(): Promise<void> {
      await Promise.allSettled(writing);
      for (const { file } of files) if (file.path !== '') await staging.remove(file);
    },
  };
}

const pointerOfField = (field: string): string => `/${pointerToken(field)}`;

const issue = (field: string, detail: string) => ({ pointer: pointerOfField(field), detail });

const invalid = (field: string, detail: string) =>
  new AppError('validation_failed', {
    detail: 'Correct the fields listed in errors.',
    issues: [issue(field, detail)],
  });

const tooMany = (detail: string, pointer = '') =>
  new AppError('validation_failed', { detail, issues: [{ pointer, detail: 'has too many parts' }] });

const malformed = (cause: unknown) =>
  new AppError('invalid_request', {
    detail: 'The multipart body is malformed or ends early. Send a complete form with its boundary.',
    cause,
  });
