import type { Clock } from '../../domain/ports.ts';

/**
 * Leases that this process could not release because the store was down. The next run of the same delivery queue reuses
 * the token of such a lease instead of waiting until the lease expires.
 */
export interface UnreleasedLeases {
  /** Remembers a lease and its token. */
  add(lease: string, token: string): void;
  /** Returns the token of an unreleased lease and removes it, so that only one run reuses it. */
  reuse(lease: string): string | undefined;
}

/** @param leaseMs lifetime of a lease; an older one has expired and is dropped. */
export function createUnreleasedLeases(clock: Clock, leaseMs: number): UnreleasedLeases {
  /** Oldest first. */
  const unreleased = new Map<string, { token: string; untilMs: number }>();

  function dropExpired(): void {
    for (const [lease, { untilMs }] of unreleased) {
      if (untilMs > clock()) return;
      unreleased.delete(lease);
    }
  }

  return {
    add(lease, token) {
      dropExpired();
      unreleased.delete(lease);
      unreleased.set(lease, { token, untilMs: clock() + leaseMs });
    },
    reuse(lease) {
      dropExpired();
      const token = unreleased.get(lease)?.token;
      unreleased.delete(lease);
      return token;
    },
  };
}
