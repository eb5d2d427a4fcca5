import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** Bytes of the built console, by the path below `/console/`. */
export type ConsoleFiles = ReadonlyMap<string, Uint8Array>;

/** A file as it is sent. */
export interface ServedFile {
  readonly contentType: string;
  readonly plain: Buffer;
  readonly gzipped: Buffer;
}

const contentTypes: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

const compress = promisify(gzip);

/** Returns the files ready to send, each compressed once. */
export async function serveFiles(files: ConsoleFiles): Promise<ReadonlyMap<string, ServedFile>> {
  const served = [...files].map(async ([path, bytes]) => {
    const plain = Buffer.from(bytes);
    const contentType = contentTypes[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
    return [path, { contentType, plain, gzipped: await compress(plain) }] as const;
  });
  return new Map(await Promise.all(served));
}
