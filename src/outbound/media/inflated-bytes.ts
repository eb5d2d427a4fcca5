import { createInflate } from 'node:zlib';
import { type FileWindow, windowBytes } from './file-window.ts';
import type { ByteRange } from './scan.ts';

/** Maximum length of compressed data, in bytes. Longer data is not expanded and counts as endless. */
const maxCompressedBytes = 1024 * 1024;
/** Maximum length of the texts before the data: a keyword, a language and a translated keyword. */
const maxNamesBytes = 1024;

/**
 * Returns the length that the compressed data in a chunk of a PNG has after its expansion. Damaged data counts up to its
 * damage, because the decoder refuses it.
 *
 * @param chunk the data of a chunk `iCCP`, `zTXt` or `iTXt`.
 * @param maxBytes length after which the expansion ends. The result is larger then.
 */
export async function inflatedBytes(
  file: FileWindow,
  chunk: ByteRange & { readonly type: string },
  maxBytes: number,
): Promise<number> {
  const names = await file.at(chunk.start, Math.min(maxNamesBytes, chunk.end - chunk.start));
  const offset = dataOffset(names, chunk.type);
  if (offset === null) return 0;
  const start = chunk.start + offset;
  if (chunk.end - start > maxCompressedBytes) return Number.POSITIVE_INFINITY;
  const inflate = createInflate();
  for (let at = start; at < chunk.end; at += windowBytes) {
    inflate.write(Buffer.from(await file.at(at, Math.min(windowBytes, chunk.end - at))));
  }
  inflate.end();
  let sizeBytes = 0;
  try {
    for await (const piece of inflate) {
      sizeBytes += piece.length;
      if (sizeBytes > maxBytes) break;
    }
  } catch {
    return sizeBytes;
  }
  return sizeBytes;
}

/** Returns the position of the compressed data in a chunk; `null` if the chunk has none or no valid names. */
function dataOffset(names: Buffer, type: string): number | null {
  const keywordEnd = names.indexOf(0);
  if (keywordEnd < 0) return null;
  if (type !== 'iTXt') return keywordEnd + 2;
  if (names[keywordEnd + 1] !== 1) return null;
  const languageEnd = names.indexOf(0, keywordEnd + 3);
  const translationEnd = languageEnd < 0 ? -1 : names.indexOf(0, languageEnd + 1);
  return translationEnd < 0 ? null : translationEnd + 1;
}
