import type { DestinationHealth } from '../../../domain/destination-health.ts';

/** Fields of a destination's hash that hold its health. The other fields belong to the lease of its delivery queue. */
export const healthFields = ['failures', 'failingSince', 'blockedUntil', 'blockedBy'] as const;

/** Returns the health from the values of `healthFields`. */
export function healthOf([failures, failingSince, blockedUntil, blockedBy]: readonly (
  | string
  | null
)[]): DestinationHealth {
  const given = (text: string | null | undefined) => Number(text ?? 0) || undefined;
  return {
    failures: Number(failures ?? 0),
    failingSince: given(failingSince),
    blockedUntil: given(blockedUntil),
    blockedBy: blockedBy || undefined,
  };
}
