import { AppError } from '../../../domain/errors.ts';

/** What an S3 call failed with, read from whatever the SDK threw. */
export interface S3Fault {
  /** HTTP status; `null` when there was no answer. */
  readonly status: number | null;
  /** One word for it: an S3 error code, a system error code, `timeout`, or `http_403`. */
  readonly reason: string;
  /** The region that S3 says the bucket is in. */
  readonly region: string | null;
}

// Answers with a 3xx or 4xx status that go away by themselves.
const passingStatuses = new Set([307, 408, 409, 425, 429]);
const passingReasons = new Set(['RequestTimeout', 'SlowDown', 'Throttling', 'ThrottlingException']);

/** Reads an error of the SDK. An answer to HEAD has no body, so its reason is only `http_<status>`. */
export function readS3Fault(error: unknown): S3Fault {
  const fields = fieldsOf(error);
  const status = numberIn(fieldsOf(fields.$metadata).httpStatusCode);
  const headers = fieldsOf(fieldsOf(fields.$response).headers);
  return {
    status,
    reason: reasonOf(fields, status),
    region: wordIn(headers['x-amz-bucket-region']) ?? wordIn(fields.Region),
  };
}

/** Whether the same call may succeed later without anybody changing anything. */
export function isPassing(fault: S3Fault): boolean {
  if (fault.status === null || fault.status >= 500 || fault.status < 300) return true;
  return passingStatuses.has(fault.status) || passingReasons.has(fault.reason);
}

/**
 * Translates what the SDK threw: `storage_unavailable` for an outage, `storage_failed` for a refusal that retries
 * cannot heal. Names neither bucket nor endpoint, since callers may read it.
 */
export function s3Error(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const fault = readS3Fault(error);
  if (isPassing(fault)) {
    return new AppError('storage_unavailable', {
      detail: `The image storage cannot be reached at the moment (${fault.reason}). Try again shortly.`,
      retryAfterSeconds: 5,
      cause: error,
    });
  }
  return new AppError('storage_failed', {
    detail: `The image storage refused (${fault.reason}). Whoever runs this service has to correct its settings.`,
    cause: error,
  });
}

/** An error that reads as the reason `timeout`. */
export function timeoutError(message: string): Error {
  return Object.assign(new Error(message), { name: 'TimeoutError' });
}

function reasonOf(fields: Record<string, unknown>, status: number | null): string {
  const name = wordIn(fields.Code) ?? wordIn(fields.name) ?? 'unknown';
  if (name === 'TimeoutError' || name === 'AbortError') return 'timeout';
  const system = wordIn(fields.code);
  if (system !== null) return system;
  if (status === null) return name;
  return name === 'Unknown' || name === 'NotFound' ? `http_${status}` : name;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** A word is all that is taken from an answer: these get into messages. */
function wordIn(value: unknown): string | null {
  return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : null;
}

function numberIn(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
