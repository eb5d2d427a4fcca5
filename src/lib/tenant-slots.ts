/** Slots that tenants share. */
export interface TenantSlots {
  /**
   * Acquires slots. Returns their release function, to be called once, or `null` if the tenant gets none.
   *
   * @param count number of slots. Default 1.
   */
  enter(tenant: string, count?: number): (() => void) | null;
}

/** Creates slots for this process with a limit per tenant, so that one tenant cannot use all of them. */
export function createTenantSlots({ max, maxPerTenant }: { max: number; maxPerTenant: number }): TenantSlots {
  return createSlots(({ all, own, wanted }) => all + wanted <= max && own + wanted <= maxPerTenant);
}

/**
 * Creates slots for this process of which each tenant may have as many as are free: one tenant alone half of them, two
 * tenants a third each. So a slot is free for a further tenant, however many each of the others wants, unless there are
 * as many tenants as slots. This is the dynamic threshold of Choudhury and Hahne, "Dynamic queue length thresholds for
 * shared-memory packet switches" (1998), with the factor 1.
 */
export function createSharedSlots(max: number): TenantSlots {
  return createSlots(({ all, own, wanted }) => own + wanted <= max - all);
}

/** Numbers of taken slots: of all tenants and of one. `wanted` are those that it asks for. */
interface Demand {
  readonly all: number;
  readonly own: number;
  readonly wanted: number;
}

function createSlots(isGranted: (demand: Demand) => boolean): TenantSlots {
  const taken = new Map<string, number>();
  let all = 0;

  const add = (tenant: string, more: number) => {
    all += more;
    const now = (taken.get(tenant) ?? 0) + more;
    if (now === 0) taken.delete(tenant);
    else taken.set(tenant, now);
  };

  return {
    enter(tenant, count = 1) {
      if (!isGranted({ all, own: taken.get(tenant) ?? 0, wanted: count })) return null;
      add(tenant, count);
      return () => add(tenant, -count);
    },
  };
}
