import type { Problem } from './types.ts';

/** Errors that the service responds with before it stores a request. */
const storedNothing = ['queue_full', 'store_full'];
/** Statuses of refusals that the service makes before it looks for an earlier request with the same idempotency key. */
const beforeLookup = [401, 403, 408, 413, 429];

/** A failed call: the problem that the service responded with, or a lost connection. */
export class ApiError extends Error {
  /** HTTP status; 0 if the connection was lost. */
  readonly status: number;
  /** Null if the connection was lost, or the response is not from the service. */
  readonly problem: Problem | null;
  readonly retryAfterS: number | null;

  constructor(failure: {
    message: string;
    status: number;
    problem?: Problem | null;
    retryAfterS?: number | null;
  }) {
    super(failure.message);
    this.name = 'ApiError';
    this.status = failure.status;
    this.problem = failure.problem ?? null;
    this.retryAfterS = failure.retryAfterS ?? null;
  }

  get isConnectionLost(): boolean {
    return this.status === 0;
  }

  /** Whether the same call may succeed later. */
  get isPassing(): boolean {
    return this.isConnectionLost || (this.problem?.retryable ?? this.status >= 500);
  }

  /**
   * Whether the service may have accepted the request, although the response does not say so. A repetition with the same
   * idempotency key shows the outcome. A new key could pay twice.
   */
  get isOutcomeUnknown(): boolean {
    // A proxy that responds with 429 may have passed the request on before.
    if (!this.problem) return this.isConnectionLost || this.status >= 500 || this.status === 429;
    const { code, billing } = this.problem;
    if (code === 'run_timeout') return true;
    // A stated charge belongs to a call that has ended.
    return this.status >= 500 && billing === undefined && !storedNothing.includes(code);
  }

  /**
   * Whether the outcome of a request is unknown after this error.
   *
   * @param wasUnknown whether it was unknown before. A later refusal, such as a limit of requests, then says nothing about the
   *   first attempt.
   */
  leavesUnknown(wasUnknown: boolean): boolean {
    return this.isOutcomeUnknown || (wasUnknown && beforeLookup.includes(this.status));
  }
}
