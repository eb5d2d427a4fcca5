import { z } from 'zod';
import type { ResponseMeta } from '../../domain/ports.ts';

const HeadLine = z.object({ v: z.literal(1), providerRequestId: z.string().optional() });

/** Longest first line that is read; a request id is far shorter. */
export const maxHeadLineBytes = 8 * 1024;

/** The first line of a spooled answer: its head as JSON. */
export function headLine(head: ResponseMeta): Buffer {
  const providerRequestId = head.providerRequestId?.slice(0, 1024);
  return Buffer.from(`${JSON.stringify({ v: 1, providerRequestId })}\n`);
}

/** Reads the first line of a file; `null` when it is none of ours. */
export function parseHead(start: Buffer): { head: ResponseMeta; bodyStart: number } | null {
  const end = start.indexOf('\n');
  if (end === -1) return null;
  try {
    const { providerRequestId } = HeadLine.parse(JSON.parse(start.toString('utf8', 0, end)));
    return { head: providerRequestId === undefined ? {} : { providerRequestId }, bodyStart: end + 1 };
  } catch {
    return null;
  }
}
