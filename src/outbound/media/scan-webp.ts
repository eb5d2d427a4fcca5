import type { FileWindow } from './file-window.ts';
import { animated, createCollector, invalid, type Scan, trailing, truncated } from './scan.ts';

const headBytes = 12;
/** Bits of VP8X that say which chunks exist. */
const flag = { animation: 0x02, xmp: 0x04, exif: 0x08 };
/** Chunks that belong to the image: pixels, transparency, colors, content credentials. All others are metadata. */
const imageTypes: ReadonlySet<string> = new Set(['VP8X', 'VP8 ', 'VP8L', 'ALPH', 'ICCP', 'C2PA']);

/** Reads the chunks of a WebP file (RFC 9649). @throws AppError `input_invalid` */
export async function scanWebp(file: FileWindow): Promise<Scan> {
  const found = createCollector();
  const riff = Buffer.from(await file.at(0, headBytes));
  const end = 8 + riff.readUInt32LE(4);
  if (end > file.sizeBytes) throw truncated();
  if (end + (end % 2) < file.sizeBytes) throw trailing();
  let extended: { start: number; flags: number } | undefined;
  let hasImage = false;
  for (let position = headBytes; position < end; ) {
    await found.part();
    const head = await file.at(position, 9);
    if (head.length < 8) throw truncated();
    const type = head.toString('latin1', 0, 4);
    const length = head.readUInt32LE(4);
    const next = position + 8 + length + (length % 2);
    if (position + 8 + length > end) throw truncated();
    if (type === 'VP8X') {
      extended = { start: position + 8, flags: head[8] ?? 0 };
      if (extended.flags & flag.animation) throw animated();
    }
    if (type === 'ANIM' || type === 'ANMF') throw animated();
    if (!imageTypes.has(type))
      found.remove(position, Math.min(next, file.sizeBytes), type === 'EXIF' ? 'exif' : 'other');
    if (type === 'ICCP') found.profile(length);
    hasImage ||= type === 'VP8 ' || type === 'VP8L';
    position = next;
  }
  if (!hasImage) throw invalid('The file is damaged: it has no image.');
  return {
    contentType: 'image/webp',
    metadata: found.metadata,
    patches: patchesOf(found.metadata, riff, extended),
  };
}

/** Returns the size and the flags of the file without its metadata. */
function patchesOf(
  metadata: Scan['metadata'],
  riff: Buffer,
  extended: { start: number; flags: number } | undefined,
): Scan['patches'] {
  if (metadata.length === 0) return [];
  const removed = metadata.reduce((sum, { start, end }) => sum + end - start, 0);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(riff.readUInt32LE(4) - removed);
  const patches = [{ start: 4, bytes: size }];
  if (!extended) return patches;
  return [...patches, { start: extended.start, bytes: Buffer.of(extended.flags & ~(flag.exif | flag.xmp)) }];
}
