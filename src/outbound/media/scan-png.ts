import { inflateSync } from 'node:zlib';
import type { FileWindow } from './file-window.ts';
import { animated, createCollector, invalid, type Scan, trailing, truncated } from './scan.ts';

const signatureBytes = 8;
const frameBytes = 12;
/** Chunks that hold texts, times and EXIF. */
const metadataTypes: ReadonlySet<string> = new Set(['eXIf', 'zxIf', 'tEXt', 'zTXt', 'iTXt', 'tIME']);

/** Reads the chunks of a PNG file (W3C PNG, third edition). @throws AppError `input_invalid` */
export async function scanPng(file: FileWindow): Promise<Scan> {
  const found = createCollector();
  let hasData = false;
  for (let position = signatureBytes; ; ) {
    found.part();
    const head = await file.at(position, frameBytes - 4);
    if (head.length < frameBytes - 4) throw truncated();
    const length = head.readUInt32BE(0);
    const type = head.toString('latin1', 4, 8);
    const end = position + frameBytes + length;
    if (position === signatureBytes && type !== 'IHDR')
      throw invalid('The file is damaged: it has no header.');
    if (!/^[A-Za-z]{4}$/.test(type)) throw invalid('The file is damaged: a chunk has no valid name.');
    if (end > file.sizeBytes) throw truncated();
    if (type === 'acTL' || type === 'fdAT') throw animated();
    if (metadataTypes.has(type)) found.remove(position, end, type === 'eXIf' ? 'exif' : 'other');
    if (type === 'iCCP') {
      found.profile(length);
      checkProfile(
        Buffer.from(await file.at(position + 8, Math.min(length, 256 * 1024))),
        found.maxProfileBytes,
      );
    }
    hasData ||= type === 'IDAT';
    if (type === 'IEND') {
      if (!hasData) throw truncated();
      if (end !== file.sizeBytes) throw trailing();
      return { contentType: 'image/png', metadata: found.metadata, patches: [] };
    }
    position = end;
  }
}

/** Refuses a compressed profile that becomes very large. A damaged profile is left to the decoder. */
function checkProfile(chunk: Buffer, maxBytes: number): void {
  const nameEnd = chunk.indexOf(0);
  if (nameEnd < 0) return;
  try {
    inflateSync(chunk.subarray(nameEnd + 2), { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw invalid(`The color profile of the file is larger than ${maxBytes} bytes.`, error);
    }
  }
}
