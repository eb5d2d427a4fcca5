import { z } from 'zod';
import { AppError } from '../../../domain/errors.ts';
import { jobStatuses } from '../../../domain/image-job.ts';
import { isKnown } from '../../../domain/open.ts';
import { type EventContent, eventIdOf, eventOf, type TenantEvent } from '../../../domain/webhook-event.ts';
import { decodeRecord } from '../record-codec.ts';

/**
 * Decodes a stored event: the id and record of a job, see `../scripts/write-event.ts`, or the complete body of an event
 * without a job.
 *
 * @throws AppError `internal` if only another release can read the event.
 */
export function decodeEvent(tenant: string, id: string, text: string): EventContent {
  if (text.startsWith('{')) return { kind: 'body', body: text };
  const space = text.indexOf(' ');
  const job = decodeRecord(tenant, text.slice(0, space), text.slice(space + 1));
  const type = isKnown(jobStatuses, job.status) ? eventOf(job.status) : undefined;
  // A newer release may report other things of a job than its status, and the id names what an event reports.
  if (type === undefined || eventIdOf(job.id, type) !== id)
    throw new AppError('internal', { detail: `The event ${id} cannot be read.` });
  return { kind: 'job', event: { id, tenant, type, at: job.updatedAt, job } };
}

/** Returns the id of the job at the start of a stored event; `null` if it is about no job. */
export const parseJobId = (start: string): string | null => /^(img_\w+) /.exec(start)?.[1] ?? null;

const Body = z.object({ type: z.string(), timestamp: z.iso.datetime() });

/** Reads the facts of an event without a job from its body. @throws ZodError if it is not such a body. */
export function decodeTenantEvent(tenant: string, id: string, body: string): TenantEvent {
  const { type, timestamp } = Body.parse(JSON.parse(body));
  return { id, tenant, type, at: Date.parse(timestamp) };
}
