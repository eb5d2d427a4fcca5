import type { DelayReason } from '../../domain/destination-health.ts';
import type { Open } from '../../domain/open.ts';
import type { Clock, SendClaim, SendLimits } from '../../domain/ports.ts';

interface Deps {
  readonly sendLimits: SendLimits;
  readonly clock: Clock;
  readonly limits: SendClaim['limits'];
}

/** Why and until when a run may send nothing more. */
export interface SendBlock {
  readonly untilMs: number;
  readonly reason: Open<DelayReason>;
}

/** Outcomes of attempts that never reached the network, so they say nothing about the host. */
const localOutcomes: ReadonlySet<string> = new Set(['address_forbidden']);

/** Creates the permits of one run: how many requests it may send to a host, see `SendLimits`. */
export function createSendPermits({ sendLimits, clock, limits }: Deps, tenant: string) {
  let block: SendBlock | undefined;
  let isFailing = false;

  return {
    /** Returns the current block, if any. */
    block: () => (block && block.untilMs > clock() ? block : undefined),
    /** Returns the first of the requests that may be sent now. */
    async admit<T>(requests: readonly T[], urlOf: (request: T) => string): Promise<T[]> {
      const [first] = requests;
      if (first === undefined) return [];
      const claim = { tenant, host: hostOf(urlOf(first)), nowMs: clock(), wanted: requests.length, limits };
      const { granted, untilMs, reason, isFailing: fails } = await sendLimits.claim(claim);
      isFailing = fails;
      if (untilMs !== undefined && reason !== undefined) block = { untilMs, reason };
      return requests.slice(0, granted);
    },
    /** Records the result of a request for the circuit breaker of its host. Any response proves that the host works. */
    async record(
      url: string,
      { status, outcome }: { status: number | null; outcome: string },
    ): Promise<void> {
      const isReachable = status !== null;
      if (localOutcomes.has(outcome) || (isReachable && !isFailing)) return;
      isFailing = !isReachable;
      await sendLimits.record(tenant, hostOf(url), { nowMs: clock(), isReachable });
    },
  };
}
export type SendPermits = ReturnType<typeof createSendPermits>;

/** Returns the host of a URL without its port and without the final dot of a name, because these spellings are one host. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/\.$/, '') : '';
}
