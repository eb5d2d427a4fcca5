import type { BilledEntry, BookedCall, Reconciliation } from './bill.ts';
import { reconcileCalls } from './reconcile-calls.ts';
import { reconcileCounts, reconcileSums } from './reconcile-sums.ts';

/**
 * Compares a bill with the calls of the ledger. Every billed amount is explained by calls, is a finding, or settles a charge
 * whose amount is unknown. A bill has rows about calls or sums of periods, and numbers of requests in addition.
 */
export function reconcile(entries: readonly BilledEntry[], booked: readonly BookedCall[]): Reconciliation {
  const calls = entries.filter((entry) => entry.kind === 'call');
  const sums = entries.filter((entry) => entry.kind === 'sum');
  const counts = entries.filter((entry) => entry.kind === 'count');
  if (calls.length > 0 && sums.length > 0) {
    throw new Error(
      'The export mixes rows about calls with sums of periods. Compare them one after the other.',
    );
  }
  const empty = { findings: [], settles: [], explainedMicroUsd: 0 };
  const amounts =
    calls.length > 0 ? reconcileCalls(calls, booked) : sums.length > 0 ? reconcileSums(sums, booked) : empty;
  return {
    billedMicroUsd: [...calls, ...sums].reduce((sum, { microUsd }) => sum + microUsd, 0),
    bookedMicroUsd: booked.reduce((sum, { microUsd }) => sum + (microUsd ?? 0), 0),
    explainedMicroUsd: amounts.explainedMicroUsd,
    findings: [...amounts.findings, ...reconcileCounts(counts, booked)],
    settles: amounts.settles,
  };
}
