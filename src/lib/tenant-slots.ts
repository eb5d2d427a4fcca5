/** Places that tenants share. */
export interface TenantSlots {
  /** @returns the way out, to be called once; `null` when there is no place for this tenant. */
  enter(tenant: string): (() => void) | null;
}

/** Counts who has a place in this process, so that no tenant alone takes all of them. */
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
