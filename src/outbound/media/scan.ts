import { setImmediate } from 'node:timers/promises';
import { AppError } from '../../domain/errors.ts';
import type { InputContentType } from '../../domain/input-image.ts';

/** Bytes from `start` up to but not including `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The structure of an image file. */
export interface Scan {
  readonly contentType: InputContentType;
  /** Metadata to remove, in ascending order: location, device, texts, previews. */
  readonly metadata: readonly ByteRange[];
  /** Bytes to replace if metadata is removed, in ascending order. Their length does not change. */
  readonly patches: readonly { readonly start: number; readonly bytes: Buffer }[];
}

/** Maximum size of EXIF data, in bytes. Cameras write at most 64 KiB. */
const maxExifBytes = 1024 * 1024;
/** Maximum size of a color profile, in bytes. */
const maxProfileBytes = 1024 * 1024;
/** Maximum size of all metadata, in bytes. Depth maps of phones have a few megabytes. */
const maxMetadataBytes = 16 * 1024 * 1024;
/** Maximum number of compressed texts. A decoder expands each of them. */
const maxExpandedParts = 100;
/** Maximum number of parts of one file. An image of 50 MB has a few thousand. */
const maxParts = 30_000;
/** Number of parts after which other work of this process gets its turn. */
const partsPerTurn = 250;

/** Returns the error of a file that cannot be used. */
export function invalid(detail: string, cause?: unknown): AppError {
  return new AppError('input_invalid', { detail, cause });
}

export const truncated = () => invalid('The file is truncated. Send the complete file.');
export const trailing = () =>
  invalid('The file has foreign data after the image. Save the image again without it.');
const tooMuchMetadata = () =>
  invalid('The metadata of the file is too large. Remove it and send the file again.');
export const animated = () => invalid('Animations cannot be used. Send a single frame.');

/** Collects the metadata of a file while it is scanned, within limits. */
export function createCollector() {
  const metadata: ByteRange[] = [];
  let exifBytes = 0;
  let profileBytes = 0;
  let metadataBytes = 0;
  let expandedParts = 0;
  let expandedBytes = 0;
  let parts = 0;
  return {
    metadata,
    /** Counts one part of the file. Parts that are read from memory would otherwise delay other callers. */
    async part(): Promise<void> {
      parts += 1;
      if (parts > maxParts) throw invalid('The file consists of too many parts.');
      if (parts % partsPerTurn === 0) await setImmediate();
    },
    remove(start: number, end: number, kind: 'exif' | 'other' = 'other'): void {
      metadata.push({ start, end });
      metadataBytes += end - start;
      if (kind === 'exif') exifBytes += end - start;
      if (exifBytes > maxExifBytes || metadataBytes > maxMetadataBytes) throw tooMuchMetadata();
    },
    /** Counts a part whose metadata a decoder would expand. */
    async expanded(count: (maxBytes: number) => Promise<number>): Promise<void> {
      expandedParts += 1;
      if (expandedParts > maxExpandedParts) throw tooMuchMetadata();
      expandedBytes += await count(maxMetadataBytes - expandedBytes);
      if (expandedBytes > maxMetadataBytes) throw tooMuchMetadata();
    },
    profile(bytes: number): void {
      profileBytes += bytes;
      if (profileBytes > maxProfileBytes) {
        throw invalid(`The color profile of the file is larger than ${maxProfileBytes} bytes.`);
      }
    },
    maxProfileBytes,
  };
}
