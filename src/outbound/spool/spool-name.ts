import { AppError } from '../../domain/errors.ts';
import type { SpoolKey } from '../../domain/ports.ts';
import type { FileWriter } from '../../lib/file-writer.ts';

const idPattern = /^[A-Za-z0-9_-]{1,80}$/;
const responsePattern = /^([A-Za-z0-9_-]{1,80})\.([A-Za-z0-9_-]{1,80})\.([1-9][0-9]{0,8})\.response$/;
const unfinishedPattern = /^(.+\.response)\.([0-9a-f]{8})-([1-9][0-9]{0,9})-[0-9a-f]{16}\.(tmp|whole)$/;

/**
 * Returns the file name of a response. The name is reversible, because it consists of ids and no id contains a dot. All
 * releases use the same names; only the content of a file has a schema version.
 *
 * @throws AppError `internal` if a part of the key is not a plain id, so that no key can leave the directory.
 */
export function responseFileName(key: SpoolKey): string {
  const name = `${key.tenant}.${key.jobId}.${key.attemptNo}.response`;
  if (!idPattern.test(key.tenant) || !idPattern.test(key.jobId) || !responsePattern.test(name)) {
    throw new AppError('internal', { cause: new Error(`invalid spool key: ${JSON.stringify(key)}`) });
  }
  return name;
}

/** Returns the key of a response's file name, or `null` for any other file. */
export function keyOfResponseFile(name: string): SpoolKey | null {
  const [, tenant, jobId, attemptNo] = responsePattern.exec(name) ?? [];
  return tenant && jobId && attemptNo ? { tenant, jobId, attemptNo: Number(attemptNo) } : null;
}

/** Returns the name of a response while it is written. It names the writer, so that leftovers are recognized. */
export function unfinishedFileName(
  responseName: string,
  { machine, pid }: FileWriter,
  randomHex: string,
): string {
  return `${responseName}.${machine}-${pid}-${randomHex}.tmp`;
}

/** Returns the name of an unfinished file whose last byte is written. Its bytes may not be on disk yet. */
export function wholeFileName(unfinishedName: string): string {
  return unfinishedName.replace(/\.tmp$/, '.whole');
}

/** Facts that the name of an unfinished file states. */
export interface UnfinishedFile {
  readonly key: SpoolKey;
  /** Name of the response when it is finished. */
  readonly responseName: string;
  readonly writer: FileWriter;
  /** Whether the last byte was written. */
  readonly isWhole: boolean;
}

/** Parses the name of an unfinished file. Returns `null` for any other file. */
export function parseUnfinishedFile(name: string): UnfinishedFile | null {
  const [, responseName = '', machine = '', pid = '', end] = unfinishedPattern.exec(name) ?? [];
  const key = keyOfResponseFile(responseName);
  return key && { key, responseName, writer: { machine, pid: Number(pid) }, isWhole: end === 'whole' };
}
