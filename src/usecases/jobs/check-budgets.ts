import type { Caller } from '../../domain/api-key.ts';
import { budgetExceeded, refusalOfCaps } from '../../domain/budget.ts';
import type { Clock, Spending } from '../../domain/ports.ts';
import { capsOfCaller } from './accept-job.ts';
import type { PreparedRequest, RequestPolicy } from './prepare-request.ts';
import { checkKnownCost } from './submit-refusals.ts';

interface Deps {
  spending: Spending;
  clock: Clock;
  policy: Pick<RequestPolicy, 'allowUnknownCost'>;
}

/** Function that compares the estimate of a dry run with the budgets of its caller. */
export type CheckBudgets = (
  caller: Caller,
  prepared: Pick<PreparedRequest, 'request' | 'estimate'>,
) => Promise<string[]>;

/**
 * Creates the function that returns a warning if a budget would refuse the request now. Money moves until the request is
 * sent, so it is no refusal. The function throws `cost_unknown` if a hard budget applies, as for the request itself.
 */
export function createCheckBudgets({ spending, clock, policy }: Deps): CheckBudgets {
  return async (caller, prepared) => {
    const caps = capsOfCaller(caller, clock()).filter(({ soft }) => !soft);
    if (caps.length === 0) return [];
    checkKnownCost(prepared, caps, policy);
    const high = prepared.estimate?.high ?? null;
    const refusal = refusalOfCaps(caps, await spending.read(caller.tenant, caps), high ?? 0);
    return refusal ? [`${budgetExceeded(refusal, high).message} It would be refused now.`] : [];
  };
}
