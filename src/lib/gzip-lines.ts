import { createInterface } from 'node:readline';
import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip, gzip } from 'node:zlib';

const compress = promisify(gzip);

/** Returns values as compressed JSON lines. */
export function gzipLines(values: readonly unknown[]): Promise<Buffer> {
  return compress(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
}

/** Reads compressed lines. @throws Error if the bytes are damaged or incomplete. */
export async function* readGzipLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const source = body instanceof Readable ? body : Readable.from(body);
  let fault: Error | null | undefined;
  const plain = pipeline(source, createGunzip(), (error) => {
    fault = error;
  });
  const lines = createInterface({ input: plain, crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) yield line;
  } finally {
    lines.close();
    source.destroy();
  }
  if (fault) throw fault;
}
