import { type BilledCount, type BookedCall, type Finding, modelFamily } from './bill.ts';

/** Compares numbers of requests with the calls of the ledger. An unsettled call may or may not have been counted. */
export function reconcileCounts(rows: readonly BilledCount[], booked: readonly BookedCall[]): Finding[] {
  const counts = new Map<string, BilledCount>();
  for (const each of rows) {
    const name = `${each.fromMs} ${modelFamily(each.model)}`;
    counts.set(name, { ...each, requests: each.requests + (counts.get(name)?.requests ?? 0) });
  }
  return [...counts.values()].flatMap(({ fromMs, toMs, model, row, requests }) => {
    const calls = booked.filter(
      (call) =>
        call.atMs >= fromMs &&
        call.atMs < toMs &&
        (model === null || modelFamily(call.model) === modelFamily(model)),
    );
    const known = calls.filter(({ microUsd }) => microUsd !== null && microUsd > 0).length;
    const difference = requests - Math.min(Math.max(requests, known), calls.length);
    return difference === 0
      ? []
      : [{ kind: 'request_count_differs' as const, row, model, difference, calls: [] }];
  });
}
