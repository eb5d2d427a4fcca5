/** Slots that tenants share. */
export interface TenantSlots {
  /** Acquires a slot. Returns its release function, to be called once, or `null` if the tenant gets no slot. */
  enter(tenant: string): (() => void) | null;
}

/** Creates slots for this process with a limit per tenant, so that one tenant cannot use all of them. */
export function createTenantSlots({ max, maxPerTenant }: { max: number; maxPerTenant: number }): TenantSlots {
  return createSlots((all, own) => all < max && own < maxPerTenant);
}

/**
 * Creates slots for this process of which each tenant may have as many as are free: one tenant alone half of them, two
 * tenants a third each. So a slot is free for a further tenant, however many each of the others wants, unless there are
 * as many tenants as slots. This is the dynamic threshold of Choudhury and Hahne, "Dynamic queue length thresholds for
 * shared-memory packet switches" (1998), with the factor 1.
 */
export function createSharedSlots(max: number): TenantSlots {
  return createSlots((all, own) => own < max - all);
}

/** @param isFree tells whether a tenant gets a slot when it has `own` of `all` taken slots. */
function createSlots(isFree: (all: number, own: number) => boolean): TenantSlots {
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
      if (!isFree(all, taken.get(tenant) ?? 0)) return null;
      count(tenant, 1);
      return () => count(tenant, -1);
    },
  };
}
