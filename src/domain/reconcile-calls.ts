import {
  type AmountComparison,
  type BilledCall,
  type BookedCall,
  canBeChargeOf,
  type Finding,
  isRounded,
  modelFamily,
  type SettledByBill,
} from './bill.ts';

/** A row without a request id of the ledger can be a call whose response was lost if it lies this near to its start. */
const lostCallMs = { before: 60_000, after: 3_600_000 };

/** Compares rows about single calls with the ledger, by the request id. A lost call is found by model and time. */
export function reconcileCalls(rows: readonly BilledCall[], booked: readonly BookedCall[]): AmountComparison {
  const byRequest = new Map<string, BookedCall>();
  for (const call of booked) if (call.requestId !== null) byRequest.set(call.requestId, call);
  const rest = new Set(booked);
  const findings: Finding[] = [];
  const settles: SettledByBill[] = [];
  let explainedMicroUsd = 0;
  const unknown: BilledCall[] = [];
  for (const row of rows) {
    const call = row.requestId === null ? undefined : byRequest.get(row.requestId);
    if (!call) {
      unknown.push(row);
    } else if (!rest.delete(call)) {
      findings.push(findingOf('double_charge', row, { difference: row.microUsd, calls: [call] }));
    } else {
      const finding = compareCall(row, call, settles);
      explainedMicroUsd += finding === null ? row.microUsd : (call.microUsd ?? 0);
      if (finding) findings.push(finding);
    }
  }
  for (const row of unknown) {
    const lost = lostCallFor(row, rest);
    if (lost) {
      rest.delete(lost);
      settles.push({ call: lost, microUsd: Math.round(row.microUsd) });
      explainedMicroUsd += row.microUsd;
    } else {
      findings.push(findingOf('not_in_ledger', row, { difference: row.microUsd, calls: [] }));
    }
  }
  for (const call of rest) {
    if (call.microUsd === null) settles.push({ call, microUsd: 0 });
    else if (call.microUsd > 0) findings.push(notBilled(call, call.microUsd));
  }
  return { findings, settles, explainedMicroUsd };
}

/** Compares one row with its call. A charge without a known amount is settled by the row. */
function compareCall(row: BilledCall, call: BookedCall, settles: SettledByBill[]): Finding | null {
  const isOtherModel = row.model !== null && modelFamily(row.model) !== modelFamily(call.model);
  const difference = row.microUsd - (call.microUsd ?? row.microUsd);
  if (isOtherModel) return findingOf('other_model', row, { difference, calls: [call] });
  if (call.microUsd === null) {
    settles.push({ call, microUsd: Math.round(row.microUsd) });
    return null;
  }
  // The ledger rounds the cost of a call to a micro-USD.
  if (Math.abs(difference) < 1) return null;
  const kind = isRounded(row.microUsd, call.microUsd) ? 'rounding' : 'amount_differs';
  return findingOf(kind, row, { difference, calls: [call] });
}

function findingOf(
  kind: Finding['kind'],
  { row, model }: BilledCall,
  more: Pick<Finding, 'difference' | 'calls'>,
): Finding {
  return { kind, row, model, ...more };
}

const notBilled = (call: BookedCall, microUsd: number): Finding => ({
  kind: 'not_billed',
  row: null,
  model: call.model,
  difference: -microUsd,
  calls: [call],
});

/** Returns the unsettled call without a request id that began nearest to a row of its model. */
function lostCallFor(
  { atMs, model, microUsd }: BilledCall,
  calls: Iterable<BookedCall>,
): BookedCall | undefined {
  if (atMs === null) return undefined;
  let nearest: BookedCall | undefined;
  for (const call of calls) {
    if (call.microUsd !== null || call.requestId !== null || !canBeChargeOf(microUsd, call)) continue;
    if (model !== null && modelFamily(model) !== modelFamily(call.model)) continue;
    const afterMs = atMs - call.atMs;
    if (afterMs < -lostCallMs.before || afterMs > lostCallMs.after) continue;
    if (!nearest || Math.abs(afterMs) < Math.abs(atMs - nearest.atMs)) nearest = call;
  }
  return nearest;
}
