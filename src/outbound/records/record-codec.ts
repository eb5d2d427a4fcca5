import { ImageJob } from '../../domain/image-job.ts';

/**
 * Records as text: the version in front, so that a script can compare it without reading JSON; then the record
 * without what the key already says.
 */
export function encodeRecord(job: ImageJob): string {
  const { version, tenant: _tenant, id: _id, ...rest } = job;
  return `${version} ${JSON.stringify(rest)}`;
}

/**
 * Reads a record back.
 *
 * Our own scripts wrote it, so on the hot path its shape is trusted; `parseRecord` checks it where a record of an
 * older release may turn up.
 */
export function decodeRecord(tenant: string, id: string, text: string): ImageJob {
  const space = text.indexOf(' ');
  const rest = JSON.parse(text.slice(space + 1)) as Omit<ImageJob, 'version' | 'tenant' | 'id'>;
  return { ...rest, id, tenant, version: Number(text.slice(0, space)) };
}

/** Reads a record back and checks its shape. @throws ZodError */
export function parseRecord(tenant: string, id: string, text: string): ImageJob {
  return ImageJob.parse(decodeRecord(tenant, id, text));
}
