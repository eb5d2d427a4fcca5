import {
  type AmountComparison,
  type BilledCall,
  type BillScope,
  type BookedCall,
  type Finding,
  isRounded,
  modelFamily,
  type SettledByBill,
  type UnknownCharge,
} from './bill.ts';
import { createAbsenceCheck } from './reconcile-absence.ts';
import { matchLostCalls } from './reconcile-lost-calls.ts';

interface Result {
  readonly findings: Finding[];
  readonly settles: SettledByBill[];
  readonly unknown: UnknownCharge[];
  explainedMicroUsd: number;
}

/** Compares rows about single calls with the ledger, by the request id. A lost call is found by model and time. */
export function reconcileCalls(
  rows: readonly BilledCall[],
  booked: readonly BookedCall[],
  scope: BillScope,
): AmountComparison {
  const rest = new Set(booked);
  const result: Result = { findings: [], settles: [], unknown: [], explainedMicroUsd: 0 };
  const strange = compareByRequestId(rows, rest, result);
  const lost = matchLostCalls(strange, rest);
  for (const [row, call] of lost) {
    rest.delete(call);
    result.explainedMicroUsd += row.microUsd;
    if (call.microUsd === null) state(result, call, row.microUsd);
  }
  const surplus = strange.filter((row) => !lost.has(row));
  for (const row of surplus)
    result.findings.push(findingOf('not_in_ledger', row, { difference: row.microUsd, calls: [] }));
  const missing = [...rest].filter(({ microUsd }) => microUsd !== null && microUsd > 0);
  for (const call of missing) result.findings.push(notBilled(call));
  const billed = booked.filter((call) => !rest.has(call));
  const unknownReasonOf = createAbsenceCheck({ rows, billed, missing, surplus }, scope);
  for (const call of rest) {
    if (call.microUsd !== null) continue;
    const reason = call.isInFlight ? 'in_flight' : unknownReasonOf(call);
    if (reason === null) result.settles.push({ call, microUsd: 0 });
    else result.unknown.push({ call, reason });
  }
  return result;
}

/** Compares rows with the calls of their request ids, and removes these calls. @returns the rows of unknown requests. */
function compareByRequestId(
  rows: readonly BilledCall[],
  rest: Set<BookedCall>,
  result: Result,
): BilledCall[] {
  const byRequest = new Map<string, BookedCall>();
  for (const call of rest) if (call.requestId !== null) byRequest.set(call.requestId, call);
  const unclear = requestsWithDifferentAmounts(rows);
  return rows.filter((row) => {
    const call = row.requestId === null ? undefined : byRequest.get(row.requestId);
    if (!call) return true;
    if (rest.delete(call)) compareCall(row, call, { result, isUnclear: unclear.has(row.requestId) });
    else result.findings.push(findingOf('double_charge', row, { difference: row.microUsd, calls: [call] }));
    return false;
  });
}

/** Returns the ids of requests that have several rows with different amounts, for example a row for each line item or try. */
function requestsWithDifferentAmounts(rows: readonly BilledCall[]): ReadonlySet<string | null> {
  const first = new Map<string, number>();
  const different = new Set<string>();
  for (const { requestId, microUsd } of rows) {
    if (requestId === null) continue;
    if ((first.get(requestId) ?? microUsd) !== microUsd) different.add(requestId);
    else first.set(requestId, microUsd);
  }
  return different;
}

/**
 * Compares one row with its call. A charge without a known amount is settled by the row, unless other rows of the request
 * state other amounts.
 */
function compareCall(
  row: BilledCall,
  call: BookedCall,
  { result, isUnclear }: { readonly result: Result; readonly isUnclear: boolean },
): void {
  const isOtherModel = row.model !== null && modelFamily(row.model) !== modelFamily(call.model);
  const difference = row.microUsd - (call.microUsd ?? row.microUsd);
  // The ledger rounds the cost of a call to a micro-USD.
  const isDifferent = Math.abs(difference) >= 1;
  if (isOtherModel || isDifferent) {
    const isRoundedAmount = call.microUsd !== null && isRounded(row.microUsd, call.microUsd);
    const kind = isOtherModel ? 'other_model' : isRoundedAmount ? 'rounding' : 'amount_differs';
    result.findings.push(findingOf(kind, row, { difference, calls: [call] }));
    result.explainedMicroUsd += call.microUsd ?? 0;
    // An amount for another model is no statement of the charge.
    if (call.microUsd === null)
      result.unknown.push({ call, reason: call.isInFlight ? 'in_flight' : 'inconclusive' });
    return;
  }
  result.explainedMicroUsd += row.microUsd;
  if (call.microUsd !== null) return;
  if (isUnclear && !call.isInFlight) result.unknown.push({ call, reason: 'inconclusive' });
  else state(result, call, row.microUsd);
}

/** Settles a charge by the amount of its row, unless its call is in flight. */
function state({ settles, unknown }: Result, call: BookedCall, microUsd: number): void {
  if (call.isInFlight) unknown.push({ call, reason: 'in_flight' });
  else settles.push({ call, microUsd: Math.round(microUsd) });
}

function findingOf(
  kind: Finding['kind'],
  { row, model }: BilledCall,
  more: Pick<Finding, 'difference' | 'calls'>,
): Finding {
  return { kind, row, model, ...more };
}

const notBilled = (call: BookedCall): Finding => ({
  kind: 'not_billed',
  row: null,
  model: call.model,
  difference: -(call.microUsd ?? 0),
  calls: [call],
});
