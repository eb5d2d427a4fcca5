import { AppError } from '../../../domain/errors.ts';

/** Failure of an S3 call, read from the error of the SDK. */
export interface S3Fault {
  /** HTTP status, or `null` without a response. */
  readonly status: number | null;
  /** An S3 error code, a system error code, `timeout`, or `http_<status>`. */
  readonly reason: string;
  /** Region of the bucket as reported by S3. */
  readonly region: string | null;
}

/** Reason of a response that does not come from S3 or a server with its API. */
export const notS3Name = 'NotAnS3Response';

// Temporary failures with a 3xx or 4xx status.
const transientStatuses = new Set([307, 408, 409, 425, 429]);
const transientReasons = new Set([
  notS3Name,
  'RequestTimeout',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
]);

/** Reads an error of the SDK. The response to HEAD has no body, so its reason is only `http_<status>`. */
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

/** Returns true if the same call may succeed later without any change. */
export function isTransient(fault: S3Fault): boolean {
  if (fault.status === null || fault.status >= 500 || fault.status < 300) return true;
  return transientStatuses.has(fault.status) || transientReasons.has(fault.reason);
}

/**
 * Translates an error of the SDK: `storage_unavailable` for an outage, `storage_failed` for a refusal that retries cannot
 * fix. The message names neither bucket nor endpoint, because API callers may read it.
 */
export function s3Error(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const fault = readS3Fault(error);
  if (isTransient(fault)) {
    return new AppError('storage_unavailable', {
      detail: `The image storage is temporarily unavailable (${fault.reason}). Retry shortly.`,
      retryAfterSeconds: 5,
      cause: error,
    });
  }
  return new AppError('storage_failed', {
    detail: `The image storage refused the call (${fault.reason}). The operator of this service must correct its settings.`,
    cause: error,
  });
}

/** Creates an error that `readS3Fault` reads as the reason `timeout`. */
export function timeoutError(message: string): Error {
  return Object.assign(new Error(message), { name: 'TimeoutError' });
}

function reasonOf(fields: Record<string, unknown>, status: number | null): string {
  const name = wordIn(fields.Code) ?? wordIn(fields.name) ?? 'unknown';
  if (name === 'AbortError') return 'timeout';
  // The SDK names every broken connection a timeout.
  const system = wordIn(fields.code);
  if (system !== null) return system;
  if (name === 'TimeoutError') return 'timeout';
  if (status === null) return name;
  return name === 'Unknown' || name === 'NotFound' ? `http_${status}` : name;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Returns the value if it is a single word, because values of responses become parts of messages. */
function wordIn(value: unknown): string | null {
  return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : null;
}

function numberIn(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
