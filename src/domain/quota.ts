/** Unit of a limit: requests per minute, or waiting jobs. */
export type QuotaUnit = 'requests' | 'queued-jobs';

/** One limit of a key or a tenant, and what is left of it. */
export interface Quota {
  readonly owner: 'key' | 'tenant';
  readonly unit: QuotaUnit;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the quota is whole again. If nothing remains: until the next request passes. Absent if unknown. */
  readonly resetSeconds?: number;
}

/** Length of the window of a limit of requests, in seconds. */
export const requestWindowSeconds = 60;

/** Returns the name of a quota on the wire. */
export const nameOfQuota = ({ owner, unit }: Pick<Quota, 'owner' | 'unit'>): string => `${owner}-${unit}`;
