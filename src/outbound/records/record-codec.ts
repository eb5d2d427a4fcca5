import { AppError } from '../../domain/errors.ts';
import type { ImageJob } from '../../domain/image-job.ts';

/**
 * Reads a job's record. Checks only the fields that every release relies on, because only this code writes records. A full
 * schema validation would cost more than the rest of a read. All other fields stay unchanged.
 *
 * @throws AppError `internal` if the text is not a record of this job.
 */
export function decodeRecord(tenant: string, id: string, text: string): ImageJob {
  const job = parsed(text);
  if (isRecord(job) && job.id === id && job.tenant === tenant) return job;
  throw new AppError('internal', { detail: `The record of ${id} cannot be read.` });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is ImageJob {
  if (!isObject(value)) return false;
  const { version, schema, status, createdAt, updatedAt, fence, request } = value as Partial<ImageJob>;
  const { images, attempts, history, errors } = value as Partial<ImageJob>;
  return (
    typeof status === 'string' &&
    [version, schema, createdAt, updatedAt, fence].every(Number.isSafeInteger) &&
    (request === undefined || isObject(request)) &&
    [images, attempts, history, errors ?? []].every(isListOfObjects)
  );
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isListOfObjects = (value: unknown): boolean => Array.isArray(value) && value.every(isObject);
