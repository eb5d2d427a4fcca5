import { errorRow } from '../../domain/errors.ts';
import { jobError } from '../../domain/image-job.ts';
import type { CircuitBreaker, Clock } from '../../domain/ports.ts';
import { maxProbeIntervalMs } from '../../domain/retry-schedule.ts';
import type { ImageOutcome } from './retry-decision.ts';

interface Deps {
  breaker: Pick<CircuitBreaker, 'findBlock'>;
  clock: Clock;
  /** Behavior of jobs while the provider rejects the account: fail immediately, or wait. */
  onQuota: 'fail' | 'wait';
}

/**
 * Checks whether the circuit breaker allows a call in the scopes.
 *
 * @returns the outcome of the image if not; `null` if the call may be made.
 */
export function createCheckBreaker({ breaker, clock, onQuota }: Deps) {
  return async (scopes: readonly string[], index: number): Promise<ImageOutcome | null> => {
    const block = await breaker.findBlock(scopes);
    if (!block) return null;
    const { scope, code } = block;
    const isAccountRejected = ['provider_quota_exhausted', 'provider_unauthorized'].includes(code);
    if (isAccountRejected && !block.isProbed && onQuota === 'fail') {
      const seconds = maxProbeIntervalMs / 1000;
      const message = `${errorRow(code).title}. This call was not made. The next probe follows within ${seconds} s.`;
      return { kind: 'failed', error: jobError(code, 'none', { index, stage: 'generating', message }) };
    }
    return { kind: 'wait', delayMs: Math.max(1, block.untilMs - clock()), blocked: { scope, code } };
  };
}
export type CheckBreaker = ReturnType<typeof createCheckBreaker>;
