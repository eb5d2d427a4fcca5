import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';

/** A file of a form, on the disk. */
export type FormFile = {
  /** Name of the field as sent, such as `image[]`. */
  readonly field: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
};

export type Form = {
  readonly fields: Readonly<Record<string, string>>;
  /** The files in the order in which they were sent. */
  readonly files: readonly FormFile[];
  /** Removes the files. */
  remove(): Promise<void>;
};

/** Bytes of a file that are stored. The rest is read and dropped, and the size still counts it. */
const MAX_STORED_BYTES = 50 * 1024 * 1024;
const MAX_TEXT_BYTES = 1024 * 1024;
const MAX_PARTS = 200;

/**
 * Reads a multipart body to its end. Files are written to a temporary folder, so that several calls with large files need
 * little memory.
 *
 * @param onField called with every text field when it arrives.
 * @returns null if the body is malformed or ends early.
 */
export async function readForm(
  request: IncomingMessage,
  onField: (name: string, value: string) => void,
): Promise<Form | null> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-studio-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const fields: Record<string, string> = Object.create(null);
  const writing: Promise<FormFile>[] = [];
  try {
    const parser = openParser(request.headers);
    parser.on('field', (name: string, value: string) => {
      fields[name] = value;
      onField(name, value);
    });
    parser.on('file', (field, stream) => {
      const path = join(folder, String(writing.length));
      const written = writeFile(stream, path).then((stored) => ({ ...stored, field, path }));
      // The pipeline below fails with the same reason.
      written.catch(() => undefined);
      writing.push(written);
    });
    await pipeline(request, parser);
    return { fields: { ...fields }, files: await Promise.all(writing), remove };
  } catch {
    await Promise.allSettled(writing);
    await remove();
    request.resume();
    return null;
  }
}

/** @throws Error if the content type has no boundary. */
const openParser = (headers: IncomingMessage['headers']) =>
  new Busboy({
    headers: headers as BusboyHeaders,
    limits: { fieldSize: MAX_TEXT_BYTES, parts: MAX_PARTS },
    isPartAFile: (_field, contentType, fileName) =>
      fileName !== undefined || /^(image\/|application\/octet-stream)/.test(contentType ?? ''),
  });

async function writeFile(
  stream: NodeJS.ReadableStream,
  path: string,
): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, sizeBytes <= MAX_STORED_BYTES ? chunk : null);
    },
  });
  await pipeline(stream, count, createWriteStream(path));
  return { sizeBytes, sha256: hash.digest('hex') };
}
