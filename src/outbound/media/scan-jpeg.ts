import { type FileWindow, windowBytes } from './file-window.ts';
import { createCollector, invalid, type Scan, trailing, truncated } from './scan.ts';

const marker = { start: 0xff, stuffing: 0x00, rst0: 0xd0, rst7: 0xd7, soi: 0xd8, eoi: 0xd9, sos: 0xda };
const app0 = 0xe0;
const comment = 0xfe;
const firstMarker = 0xc0;
/** Maximum number of scans. Each costs a decoder a pass over all pixels, and encoders write about ten. */
const maxScans = 40;

/**
 * Reads the segments of a JPEG file (ITU T.81). Phones append further images or a video after the first image; these are
 * metadata. Any other data after the image is refused, because the file may be of two types.
 *
 * @throws AppError `input_invalid`
 */
export async function scanJpeg(file: FileWindow): Promise<Scan> {
  const found = createCollector();
  const patches: Patch[] = [];
  let scans = 0;
  let hasMore = false;
  for (let position = 2; ; ) {
    await found.part();
    const head = await file.at(position, 4);
    if (head.length < 2) throw truncated();
    const [first, code] = [head[0], head[1] ?? 0];
    if (first !== marker.start) throw invalid('The file is damaged: a segment has no marker.');
    if (code === marker.start) {
      position += 1;
      continue;
    }
    if (code === marker.eoi) {
      if (scans === 0) throw truncated();
      await checkRest(file, position + 2, hasMore);
      if (position + 2 < file.sizeBytes) found.remove(position + 2, file.sizeBytes);
      return { contentType: 'image/jpeg', metadata: found.metadata, patches };
    }
    if (code < firstMarker || code === marker.soi || (code >= marker.rst0 && code <= marker.rst7)) {
      throw invalid('The file is damaged: a segment has an unknown marker.');
    }
    if (head.length < 4) throw truncated();
    const length = head.readUInt16BE(2);
    const end = position + 2 + length;
    if (length < 2) throw invalid('The file is damaged: a segment has no length.');
    if (end > file.sizeBytes) throw truncated();
    const kind = kindOf(code, await file.at(position + 4, Math.min(length - 2, 16)));
    if (kind === 'profile') found.profile(length);
    else if (kind === 'exif') found.remove(position, end, 'exif');
    else if (kind === 'header' && length > headerLength) {
      found.remove(position + 2 + headerLength, end);
      patches.push(...withoutThumbnail(position));
    } else if (kind !== 'image' && kind !== 'header') found.remove(position, end);
    hasMore ||= kind === 'more_images';
    if (code === marker.sos) scans += 1;
    if (scans > maxScans) throw invalid('The image has too many scans. Save it without progressive display.');
    position = code === marker.sos ? await endOfScan(file, end) : end;
  }
}

type Patch = Scan['patches'][number];

/** Length of a JFIF header without its thumbnail, as the segment states it (ITU T.871). */
const headerLength = 16;

/** Removes the thumbnail from a JFIF header. It may show what was cut off or painted over later. */
const withoutThumbnail = (position: number): Patch[] => [
  { start: position + 2, bytes: Buffer.of(0, headerLength) },
  { start: position + headerLength, bytes: Buffer.of(0, 0) },
];

type Kind = 'image' | 'header' | 'profile' | 'exif' | 'more_images' | 'metadata';

/** Returns the purpose of a segment. Content credentials (APP11) stay, because they belong to the image. */
function kindOf(code: number, start: Buffer): Kind {
  const begins = (text: string) => start.toString('latin1', 0, text.length) === text;
  if (code === comment) return 'metadata';
  if (code < app0 || code > app0 + 15) return 'image';
  if (code === app0) return begins('JFIF\0') ? 'header' : 'metadata';
  if (code === app0 + 1) return begins('Exif\0') ? 'exif' : 'metadata';
  if (code === app0 + 2 && begins('ICC_PROFILE\0')) return 'profile';
  if (code === app0 + 2 && begins('MPF\0')) return 'more_images';
  if (code === app0 + 11 && begins('JP')) return 'image';
  return code === app0 + 14 && begins('Adobe') ? 'image' : 'metadata';
}

/** Returns the position of the marker after the compressed data of a scan. */
async function endOfScan(file: FileWindow, from: number): Promise<number> {
  for (let position = from; ; ) {
    const bytes = await file.at(position, windowBytes);
    if (bytes.length < 2) throw truncated();
    const at = markerIn(bytes);
    if (at >= 0) return position + at;
    // The last byte may be the first half of a marker.
    position += bytes.length - 1;
  }
}

/** Returns the position of the first marker that is no part of compressed data, or -1. */
function markerIn(bytes: Buffer): number {
  for (let at = bytes.indexOf(marker.start); at >= 0 && at < bytes.length - 1; ) {
    const next = bytes[at + 1] ?? 0;
    const isData = next === marker.stuffing || (next >= marker.rst0 && next <= marker.rst7);
    if (!isData && next !== marker.start) return at;
    at += isData ? 2 : 1;
    while (at < bytes.length && bytes[at] !== marker.start) at += 1;
  }
  return -1;
}

/** Beginnings of archives, documents and programs. */
const foreign = [
  'PK\x03\x04',
  'PK\x05\x06',
  '%PDF',
  '<script',
  '<html',
  '<?php',
  'Rar!',
  '7z\xbc\xaf',
  '\x7fELF',
  'MZ',
];
const sampleBytes = 128 * 1024;

/** Checks the data after the image. */
async function checkRest(file: FileWindow, start: number, hasMore: boolean): Promise<void> {
  const size = file.sizeBytes - start;
  if (size <= 0) return;
  const head = (await file.at(start, sampleBytes)).toString('latin1');
  const tail = (await file.at(Math.max(start, file.sizeBytes - sampleBytes), sampleBytes)).toString('latin1');
  const isForeign = foreign.some((each) => head.startsWith(each) || (each.length > 2 && tail.includes(each)));
  const isOfPhone =
    hasMore || head.startsWith('\xff\xd8\xff') || head.slice(4, 8) === 'ftyp' || tail.endsWith('SEFT');
  const isPadding = /^\0*$/.test(head) && size <= sampleBytes;
  if (isPadding) return;
  if (isForeign || !isOfPhone) throw trailing();
}
