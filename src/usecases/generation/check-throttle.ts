import type { ModerationThrottle } from '../../domain/ports.ts';
import { maxProbeIntervalMs } from '../../domain/retry-schedule.ts';
import type { ImageOutcome } from './retry-decision.ts';

/** Returns the outcome of an image of a throttled tenant; `null` if a call may be made. */
export type CheckThrottle = (tenant: string) => Promise<ImageOutcome | null>;

/**
 * Creates the function that delays the calls of throttled tenants. Their accepted jobs wait, because each further blocked
 * prompt endangers the account that all tenants share. The wait does not count as running.
 */
export function createCheckThrottle(throttle: Pick<ModerationThrottle, 'throttledForMs'>): CheckThrottle {
  return async (tenant) => {
    const forMs = await throttle.throttledForMs(tenant);
    if (forMs === 0) return null;
    const delayMs = Math.min(forMs, maxProbeIntervalMs);
    return { kind: 'wait', delayMs, blocked: { scope: 'moderation', code: 'moderation_throttled' } };
  };
}
