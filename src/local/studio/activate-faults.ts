import type { Exchange } from './exchange.ts';
import { type ActiveFaults, type CallKind, type FaultLog, numberOf, readFaults } from './faults.ts';

/**
 * Returns the faults that act on a call, and records the first one in the call log. Calls with different API keys are
 * counted apart, so that tests with keys of their own do not use up each other's faults.
 */
export function activateFaults(
  { call, account }: Exchange,
  { kind, prompt }: { readonly kind: CallKind; readonly prompt: string },
  faults: FaultLog,
): ActiveFaults {
  const active = faults.activate(`${account}\n${prompt}`, readFaults(kind, prompt, call.headers.fault));
  call.fault = (active.main ?? active.latency ?? active.slowBody)?.text ?? call.fault;
  return active;
}

/** Returns the delay of a response, in milliseconds. @param usualMs the delay without a fault. */
export const latencyOf = ({ latency }: ActiveFaults, usualMs: number): number =>
  latency === null ? usualMs : numberOf(latency, 1000);

/** Returns the time over which a body is spread, in milliseconds. */
export const slowBodyMsOf = ({ slowBody }: ActiveFaults): number =>
  slowBody === null ? 0 : numberOf(slowBody, 1000);

/** Returns whether a body breaks off in its middle. */
export const breaksInMiddle = ({ main }: ActiveFaults): boolean => main?.name === 'hang-up-mid';
