import { AppError } from './errors.ts';
import type { IdempotencyClaim } from './ports.ts';
import { minClaimMs } from './retention.ts';

/** A request that creates a key or an endpoint. */
interface Creation {
  readonly idempotencyKey: string | undefined;
  /** Canonical text of the body. */
  readonly request: string;
}

/** Returns the claim of a request; `undefined` without an idempotency key. */
export function creationClaim(
  digest: (text: string) => string,
  { idempotencyKey, request }: Creation,
): IdempotencyClaim | undefined {
  if (idempotencyKey === undefined) return undefined;
  return { keyHash: digest(idempotencyKey), fingerprint: digest(request), ttlMs: minClaimMs };
}

/** Returns the error of a request whose idempotency key was used for another one. */
export const keyReused = (): AppError =>
  new AppError('idempotency_key_reused', {
    detail: 'This Idempotency-Key was used with another body. Use a new key for a new request.',
  });
