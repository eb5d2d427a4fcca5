import type { ApiKeyRecord } from '../../domain/api-key.ts';
import { capsOfOwner } from '../../domain/budget.ts';
import { type KeyWithSpending, viewOwnBudget } from '../../domain/own-key-view.ts';
import type { Clock, Spending } from '../../domain/ports.ts';

interface Deps {
  spending: Spending;
  clock: Clock;
}

const nothing = { heldMicroUsd: 0, spentMicroUsd: 0 };

/** Creates the function that returns the figures of the budgets of keys, in the order of the keys. */
export function createReadSpending({ spending, clock }: Deps) {
  return (keys: readonly ApiKeyRecord[]): Promise<KeyWithSpending['spending'][]> => {
    const nowMs = clock();
    return Promise.all(
      keys.map(async (key) => {
        const caps = capsOfOwner('key', key, { keyId: key.id, acceptedAtMs: nowMs, nowMs });
        const figures = await spending.read(key.tenant, caps);
        return caps.map((cap, i) => viewOwnBudget(cap, figures[i] ?? nothing));
      }),
    );
  };
}
export type ReadSpending = ReturnType<typeof createReadSpending>;
