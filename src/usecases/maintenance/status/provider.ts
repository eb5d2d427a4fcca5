import { errorRow } from '../../../domain/errors.ts';
import { isoTime } from '../../../domain/iso-time.ts';
import type { CircuitBreaker, OpenBreaker } from '../../../domain/ports.ts';
import type { SystemStatus } from '../../../domain/system-status.ts';
import { ok, partOf } from './part.ts';

/** Returns the status of the circuit breakers of provider calls. */
export function breakersStatus(
  breaker: Pick<CircuitBreaker, 'list'>,
  nowMs: number,
): Promise<SystemStatus['circuit_breakers']> {
  return partOf<SystemStatus['circuit_breakers']>(
    async () => {
      const open = await breaker.list();
      const data = open.map((each) => viewBreaker(each, nowMs)).sort((a, b) => (a.scope < b.scope ? -1 : 1));
      const [first] = data;
      const detail =
        first && `${first.scope}: ${first.reason}. Correct the cause; a call that succeeds closes it.`;
      return { ...(detail ? { state: 'degraded', detail } : ok), data };
    },
    { data: [] },
  );
}

function viewBreaker(breaker: OpenBreaker, nowMs: number): SystemStatus['circuit_breakers']['data'][number] {
  const { scope, code, openedAtMs, nextProbeAtMs, untilMs, failures } = breaker;
  return {
    ...{ scope, state: nextProbeAtMs <= nowMs ? 'half_open' : 'open', code, reason: errorRow(code).title },
    opened_at: isoTime(openedAtMs),
    next_probe_at: isoTime(nextProbeAtMs),
    until: untilMs === null ? null : isoTime(untilMs),
    failures,
  };
}
