import { useRef } from 'preact/hooks';
import type { ApiError } from './api-error.ts';
import { newIdempotencyKey } from './idempotency-key.ts';

/** The idempotency key of a form. It stays the same until the outcome of a request is known. */
export interface Repetition {
  key(): string;
  /** Ends the key, because the request succeeded. */
  succeeded(): void;
  /** Ends the key if the outcome is known: the body may change before the next try, and a used key would then be refused. */
  failed(error: ApiError): void;
}

/** Creates the key of a form, so that a request whose response was lost has no effect twice. */
export function useRepetition(): Repetition {
  const state = useRef({ key: newIdempotencyKey(), isUnknown: false });
  const renew = () => {
    state.current = { key: newIdempotencyKey(), isUnknown: false };
  };
  return {
    key: () => state.current.key,
    succeeded: renew,
    failed(error) {
      if (error.leavesUnknown(state.current.isUnknown)) state.current.isUnknown = true;
      else renew();
    },
  };
}
