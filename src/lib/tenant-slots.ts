/** Slots that tenants share. */
export interface TenantSlots {
  /** Acquires a slot. Returns its release function, to be called once, or `null` if the tenant gets no slot. */
  enter(tenant: string): (() => void) | null;
}

/** Creates slots for this process with a limit per tenant, so that one tenant cannot use all of them. */
export function createTenantSlots({ max, maxPerTenant }: { max: number; maxPerTenant: number }): TenantSlots {
  const taken = new Map<string, number>();
  let all = 0;

  const count = (tenant: string, more: 1 | -1) => {
    all += more;
    const now = (taken.get(tenant) ?? 0) + more;
    if (now === 0) taken.delete(tenant);
    else taken.set(tenant, now);
  };

  return {
    enter(tenant) {
      if (all >= max || (taken.get(tenant) ?? 0) >= maxPerTenant) return null;
      count(tenant, 1);
      return () => count(tenant, -1);
    },
  };
}
