import { z } from 'zod';
import type { SpoolHead } from '../../domain/ports.ts';

/** Schema version of the spool files that this release writes. */
export const spoolVersion = 1;

/** Maximum length of a head line that this release reads, in bytes. Its own head lines are shorter than 3 KiB. */
export const maxHeadLineBytes = 8 * 1024;

const maxFieldLength = 1024;
const HeadLine = z.object({
  provider: z.string().min(1),
  providerRequestId: z.string().exactOptional(),
  index: z.int().exactOptional(),
  startedAt: z.int().exactOptional(),
});

/** Result of reading the start of a spool file. */
export type ParsedHead =
  | { readonly format: 'known'; readonly head: SpoolHead; readonly bodyStart: number }
  | { readonly format: 'unknown'; readonly version: number }
  | { readonly format: 'damaged' };

/** Encodes the head of a spool file: one line of JSON that begins with the schema version, then the body follows. */
export function headLine({ provider, providerRequestId, index, startedAt }: SpoolHead): Buffer {
  const fields = {
    v: spoolVersion,
    provider,
    providerRequestId: providerRequestId?.slice(0, maxFieldLength),
    index,
    startedAt,
  };
  return Buffer.from(`${JSON.stringify(fields)}\n`);
}

/**
 * Parses the start of a spool file. Every release must begin its files with `{"v":N`, so that older releases recognize
 * a newer format even if they cannot read the rest of the line. Unknown fields of a known version are ignored.
 */
export function parseHead(start: Buffer): ParsedHead {
  const version = versionOf(start);
  if (version === null) return { format: 'damaged' };
  if (version !== spoolVersion) return { format: 'unknown', version };
  const end = start.indexOf('\n');
  if (end === -1) return { format: 'damaged' };
  try {
    const head = HeadLine.parse(JSON.parse(start.toString('utf8', 0, end)));
    return { format: 'known', head, bodyStart: end + 1 };
  } catch {
    return { format: 'damaged' };
  }
}

function versionOf(start: Buffer): number | null {
  const digits = /^\{"v":([0-9]{1,9})[,}]/.exec(start.toString('latin1', 0, 32))?.[1];
  return digits === undefined ? null : Number(digits);
}
