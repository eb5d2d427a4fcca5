import { AppError } from '../../domain/errors.ts';
import type { SpoolKey } from '../../domain/ports.ts';

const idPattern = /^[A-Za-z0-9_-]{1,80}$/;
const responsePattern = /^([A-Za-z0-9_-]{1,80})\.([A-Za-z0-9_-]{1,80})\.([1-9][0-9]{0,8})\.answer$/;
const unfinishedPattern = /\.answer\.([1-9][0-9]{0,9})-[0-9a-f]{16}\.tmp$/;

/**
 * File name of one answer. Made of ids only, and reversible: no id holds a dot.
 *
 * @throws AppError `internal` when an id could be anything but a name.
 */
export function responseFileName(key: SpoolKey): string {
  const name = `${key.tenant}.${key.jobId}.${key.attemptNo}.answer`;
  if (!idPattern.test(key.tenant) || !idPattern.test(key.jobId) || !responsePattern.test(name)) {
    throw new AppError('internal', { cause: new Error(`not a spool key: ${JSON.stringify(key)}`) });
  }
  return name;
}

/** The key of a file name; `null` for every other file. */
export function keyOfResponseFile(name: string): SpoolKey | null {
  const [, tenant, jobId, attemptNo] = responsePattern.exec(name) ?? [];
  return tenant && jobId && attemptNo ? { tenant, jobId, attemptNo: Number(attemptNo) } : null;
}

/** Name of an answer while it is written: tells whose it is, so that only leftovers are swept. */
export function unfinishedFileName(responseName: string, pid: number, randomHex: string): string {
  return `${responseName}.${pid}-${randomHex}.tmp`;
}

/** Process that writes or wrote an unfinished file; `null` for every other file. */
export function writerOfUnfinishedFile(name: string): number | null {
  const pid = unfinishedPattern.exec(name)?.[1];
  return pid ? Number(pid) : null;
}
