import type { SystemStatus } from '../../api/types.ts';

/** Parts of the status, in the sequence of the cards. */
export const partNames = [
  'queue',
  'workers',
  'circuit_breakers',
  'spool',
  'redis',
  'storage',
  'webhooks',
  'versions',
] as const;
export type PartName = (typeof partNames)[number];

/** A part that does not work without a restriction. */
export interface PartFault {
  readonly name: PartName;
  readonly state: string;
  readonly detail: string | null;
}

/** Returns a status whose parts have no known state, because a later reading failed. Its facts are those of the last one. */
export function asUnknown(status: SystemStatus): SystemStatus {
  const parts = partNames.map((name) => [name, { ...status[name], state: 'unknown', detail: null }]);
  return { ...status, ...Object.fromEntries(parts) };
}

const badness = ['down', 'degraded', 'unknown'];

/**
 * Returns the faults to name at the top of the page, the worst first. Parts that are only unknown are left out if another
 * part explains why.
 */
export function faultsOf(status: SystemStatus): PartFault[] {
  const faults = partNames
    .map((name) => ({ name, state: status[name].state as string, detail: status[name].detail }))
    .filter(({ state }) => state !== 'ok')
    .sort((a, b) => badness.indexOf(a.state) - badness.indexOf(b.state));
  const explained = faults.filter(({ state }) => state !== 'unknown');
  return explained.length > 0 ? explained : faults;
}
