import { isUtf8 } from 'node:buffer';
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
  /** Whether the texts of a field are items or lists of items as JSON, which become one list. Default: no field. */
  readonly isListField?: ((field: string) => boolean) | undefined;
  /** Returns the pointer of a file in errors. Default: the field. */
  readonly pointerOf?: PointerOfFile | undefined;
}

/** @param before the fields of the files that arrived earlier. */
export type PointerOfFile = (field: string, before: readonly string[]) => string;

const maxFields = 64;

/**
 * Reads a multipart body. Every file streams to the disk. Texts are UTF-8, whatever charset their part names. The first fault ends the reading, and the rest of the body is
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
      const parts: Promise<void>[] = [];
      parser.on('file', (...[name, stream, fileName, , contentType]) => {
        // The stream fails with the parser, whose error is the reason.
        stream.on('error', () => undefined);
        streams.push(stream);
        // Clients send JSON as a Blob, which always has a file name.
        const isJson = contentType === 'application/json' && !rules.isFileField(name ?? '');
        const isFile = !isJson && isFilePart(contentType, fileName);
        const read = isFile ? form.addFile({ field: name, fileName }, stream) : form.addText(name, stream);
        parts.push(read);
        read.catch(reject);
      });
      parser.on('partsLimit', () => reject(tooMany('The form has too many parts.')));
      parser.on('error', (error) => reject(malformed(error)));
      parser.on('finish', () => void Promise.all(parts).then(() => resolve(), reject));
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

function openParser(headers: IncomingMessage['headers']): Busboy {
  try {
    return new Busboy({
      headers: headers as BusboyHeaders,
      limits: { parts: maxFields * 2, headerPairs: 20 },
      // The parser replaces invalid bytes of texts, but hands over files as they are.
      isPartAFile: () => true,
    });
  } catch (error) {
    throw malformed(error);
  }
}

const isFilePart = (contentType: string, fileName: string | undefined): boolean =>
  fileName !== undefined || contentType === 'application/octet-stream' || contentType.startsWith('image/');

/** Creates the function that reads the texts of a form. They have a common limit of bytes, and a maximum number. */
function createTextReader() {
  let count = 0;
  let bytes = 0;
  return async (field: string, stream: AsyncIterable<Uint8Array>): Promise<string> => {
    count += 1;
    if (count > maxFields) throw tooMany(`The form has more than ${maxFields} texts.`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream) {
      bytes += chunk.length;
      if (bytes > maxRequestTextBytes) {
        const detail = `must be shorter: the text of a form may have at most ${maxRequestTextBytes} bytes`;
        throw new AppError('payload_too_large', {
          detail: `${field} ${detail}.`,
          issues: [issue(field, detail)],
        });
      }
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks);
    if (!isUtf8(text)) throw notUtf8(field);
    return text.toString('utf8');
  };
}

function createForm(rules: FormRules) {
  const { staging, isFileField, fileFields, maxFiles, isListField, pointerOf = pointerOfField } = rules;
  const fields = new Map<string, string>();
  /** Texts of each field, in the sequence of their parts. */
  const texts = new Map<string, string[]>();
  const files: FormFile[] = [];
  const writing: Promise<unknown>[] = [];
  const begun: string[] = [];
  const readText = createTextReader();

  return {
    fields,
    files,

    async addText(name: string | undefined, stream: AsyncIterable<Uint8Array>): Promise<void> {
      const field = checkedName(name);
      const same = texts.get(field) ?? [];
      texts.set(field, same);
      // A short text may be read before a long one that began earlier, which is an empty list until then.
      const at = same.push('[]') - 1;
      const text = await readText(field, stream);
      same[at] = text;
      const isList = isListField?.(field) === true && same.every((each) => isNested.test(each));
      if (at > 0 && !isList) {
        const isInstead = isFileField(field) && !isNested.test(text);
        throw invalid(field, isInstead ? fileExpected(field) : 'occurs more than once');
      }
      fields.set(field, isList ? joinLists(same) : text);
    },

    async addFile(part: { field: string | undefined; fileName: string | undefined }, stream: Readable) {
      const field = checkedName(part.field);
      const name = { ...part, field };
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

/** Joins items and lists of items, as JSON, to one list. Faulty JSON remains faulty. */
const joinLists = (texts: readonly string[]): string =>
  `[${texts
    .map((text) => text.trim())
    .map((text) => (text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1).trim() : text))
    .filter((items) => items !== '')
    .join()}]`;

/** Text of a nested value. */
export const isNested = /^\s*[[{]/;

/** Returns the fault of a text in a field of files. Callers of curl often forget the @ before the name of a file. */
export const fileExpected = (field: string): string => `must be a file. With curl: -F '${field}=@photo.png'`;

/** Returns the name of a part. The parser leaves a missing one undefined, and replaces bytes that are not UTF-8. */
function checkedName(name: string | undefined): string {
  if (name === undefined || name === '') {
    const detail = 'has a part without a name';
    throw new AppError('validation_failed', {
      detail: 'The form has a part without a name. Name each part in its Content-Disposition.',
      issues: [{ pointer: '', detail }],
    });
  }
  if (name.includes('\uFFFD')) throw notUtf8(name);
  return name;
}

const pointerOfField = (field: string): string => `/${pointerToken(field)}`;

const issue = (field: string, detail: string) => ({ pointer: pointerOfField(field), detail });

const invalid = (field: string, detail: string) =>
  new AppError('validation_failed', {
    detail: 'Correct the fields listed in errors.',
    issues: [issue(field, detail)],
  });

const notUtf8 = (field: string) =>
  new AppError('invalid_request', {
    detail: 'The form is not valid UTF-8. Correct the fields listed in errors.',
    issues: [issue(field, 'is not valid UTF-8')],
  });

const tooMany = (detail: string, pointer = '') =>
  new AppError('validation_failed', { detail, issues: [{ pointer, detail: 'has too many parts' }] });

const malformed = (cause: unknown) =>
  new AppError('invalid_request', {
    detail: 'The multipart body is malformed or ends early. Send a complete form with its boundary.',
    cause,
  });
