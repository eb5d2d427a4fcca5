import type { BilledEntry, BillScope, BookedCall, Reconciliation } from './bill.ts';
import { reconcileCalls } from './reconcile-calls.ts';
import { reconcileCounts } from './reconcile-counts.ts';
import { reconcileSums } from './reconcile-sums.ts';

/**
 * Compares a bill with the calls of the ledger. Every billed amount is explained by calls, is a finding, or settles a charge
 * whose amount is unknown. A call without an amount in the bill is settled as free only if the bill is complete for its day.
 * A bill has rows about calls or sums of periods, and numbers of requests in addition.
 *
 * @param booked calls that began within the scope.
 */
export function reconcile(
  entries: readonly BilledEntry[],
  booked: readonly BookedCall[],
  scope: BillScope,
): Reconciliation {
  const calls = entries.filter((entry) => entry.kind === 'call');
  const sums = entries.filter((entry) => entry.kind === 'sum');
  const counts = entries.filter((entry) => entry.kind === 'count');
  if (calls.length > 0 && sums.length > 0) {
    throw new Error(
      'The export mixes rows about calls with sums of periods. Compare them one after the other.',
    );
  }
  const empty = { findings: [], settles: [], unknown: [], explainedMicroUsd: 0 };
  const amounts =
    calls.length > 0
      ? reconcileCalls(calls, booked, scope)
      : sums.length > 0
        ? reconcileSums(sums, booked, scope)
        : empty;
  return {
    ...amounts,
    billedMicroUsd: [...calls, ...sums].reduce((sum, { microUsd }) => sum + microUsd, 0),
    bookedMicroUsd: booked.reduce((sum, { microUsd }) => sum + (microUsd ?? 0), 0),
    findings: [...amounts.findings, ...reconcileCounts(counts, booked)],
  };
}
