import { AppError } from '../../domain/errors.ts';
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
 * Reads a record back and checks its shape: Redis is shared, and another release may have written it.
 *
 * @throws AppError `internal` when it is not a record of ours.
 */
export function decodeRecord(tenant: string, id: string, text: string): ImageJob {
  try {
    const space = text.indexOf(' ');
    const rest = JSON.parse(text.slice(space + 1)) as object;
    return ImageJob.parse({ ...rest, id, tenant, version: Number(text.slice(0, space)) });
  } catch (error) {
    throw new AppError('internal', { detail: `The record of ${id} cannot be read.`, cause: error });
  }
}
