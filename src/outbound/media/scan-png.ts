import type { FileWindow } from './file-window.ts';
import { inflatedBytes } from './inflated-bytes.ts';
import { animated, createCollector, invalid, type Scan, trailing, truncated } from './scan.ts';

const signatureBytes = 8;
const frameBytes = 12;
/** Optional chunks that belong to the image: colors, resolution, content credentials. All others are metadata. */
const imageTypes: ReadonlySet<string> = new Set([
  ...['tRNS', 'gAMA', 'cHRM', 'sRGB', 'iCCP', 'sBIT', 'cICP', 'mDCV', 'mDCv', 'cLLI', 'cLLi'],
  ...['bKGD', 'hIST', 'pHYs', 'sPLT', 'caBX'],
]);

/** Reads the chunks of a PNG file (W3C PNG, third edition). @throws AppError `input_invalid` */
export async function scanPng(file: FileWindow): Promise<Scan> {
  const found = createCollector();
  let hasData = false;
  for (let position = signatureBytes; ; ) {
    await found.part();
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
    if (isOptional(type) && !imageTypes.has(type))
      found.remove(position, end, type === 'eXIf' ? 'exif' : 'other');
    const data = { start: position + frameBytes - 4, end: end - 4, type };
    if (type === 'iCCP') found.profile(await inflatedBytes(file, data, found.maxProfileBytes));
    if (type === 'zTXt' || type === 'iTXt') await found.expanded((max) => inflatedBytes(file, data, max));
    hasData ||= type === 'IDAT';
    if (type === 'IEND') {
      if (!hasData) throw truncated();
      if (end !== file.sizeBytes) throw trailing();
      return { contentType: 'image/png', metadata: found.metadata, patches: [] };
    }
    position = end;
  }
}

/** Returns whether a decoder may ignore a chunk of an unknown type: the first letter of its type is in lower case. */
const isOptional = (type: string): boolean => type[0] === type[0]?.toLowerCase();
