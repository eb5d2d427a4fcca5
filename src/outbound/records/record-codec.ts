import { AppError } from '../../domain/errors.ts';
import { ImageJob, isTerminal } from '../../domain/image-job.ts';
import { restore, shorten } from './short-text.ts';

// Control characters like the codes of `short-text.ts`, but beyond its range: the texts they stand for differ by job.
const folderCode = String.fromCharCode(0x1e);
const timeCode = String.fromCharCode(0x1f);

/** Digits of a time that differ within a job's first quarter of an hour. */
const changingDigits = 6;

/**
 * Records as text: the version, so that a script can compare it without reading JSON; the leading digits of the job's
 * times; then the record, shortened, without what the key already says. One of an unfinished job stays as it is: it is
 * written again soon, and shortening takes as long as everything else here.
 */
export function encodeRecord(job: ImageJob): string {
  const { version, tenant, id } = job;
  // JSON leaves out what is undefined; taking the fields off in another way costs several times as much.
  const rest = { ...job, version: undefined, tenant: undefined, id: undefined };
  const json = JSON.stringify(rest);
  if (!isTerminal(job.status)) return `${version}  ${json}`;
  const era = String(job.createdAt).slice(0, -changingDigits);
  const short = shorten(json.replaceAll(`${tenant}/${id}/`, folderCode));
  return `${version} ${era} ${era === '' ? short : short.replaceAll(era, timeCode)}`;
}

/**
 * Reads a record back and checks its shape: Redis is shared, and another release may have written it.
 *
 * @throws AppError `internal` when it is not a record of ours.
 */
export function decodeRecord(tenant: string, id: string, text: string): ImageJob {
  try {
    const [, version, era, short = ''] = /^(\d+) (\d*) (.*)$/s.exec(text) ?? [];
    const json = restore(short.replaceAll(timeCode, era ?? '')).replaceAll(folderCode, `${tenant}/${id}/`);
    // Completed in place: a copy of a parsed object is a slow one, and checking that takes three times as long.
    return ImageJob.parse(Object.assign(JSON.parse(json), { id, tenant, version: Number(version) }));
  } catch (error) {
    throw new AppError('internal', { detail: `The record of ${id} cannot be read.`, cause: error });
  }
}
