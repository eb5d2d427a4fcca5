import type { ApiKeyRecord } from '../../domain/api-key.ts';
import { capsOfOwner } from '../../domain/budget.ts';
import { type KeyWithSpending, viewOwnBudget } from '../../domain/own-key-view.ts';
import type { Clock, Spending } from '../../domain/ports.ts';

interface Deps {
  spending: Spending;
  clock: Clock;
}

type Figures = KeyWithSpending['spending'];

const nothing = { heldMicroUsd: 0, spentMicroUsd: 0 };

/** Creates the function that returns the figures of the budgets of keys, in the order of the keys. */
export function createReadSpending({ spending, clock }: Deps) {
  return async (keys: readonly ApiKeyRecord[]): Promise<Figures[]> => {
    const nowMs = clock();
    const owners = keys.map((key) => ({
      tenant: key.tenant,
      caps: capsOfOwner('key', key, { keyId: key.id, acceptedAtMs: nowMs, nowMs }),
      figures: [] as Figures,
    }));
    // One read per tenant, because its counters are one hash.
    for (const tenant of new Set(owners.map((owner) => owner.tenant))) {
      const own = owners.filter((owner) => owner.tenant === tenant);
      const caps = own.flatMap((owner) => owner.caps);
      const read = caps.length > 0 ? await spending.read(tenant, caps) : [];
      let at = 0;
      for (const owner of own) {
        owner.figures = owner.caps.map((cap) => viewOwnBudget(cap, read[at++] ?? nothing));
      }
    }
    return owners.map(({ figures }) => figures);
  };
}
export type ReadSpending = ReturnType<typeof createReadSpending>;
