import { type BilledCall, type BookedCall, canBeChargeOf, maxBillingDelayMs, modelFamily } from './bill.ts';

/** The clocks of the provider and of the service differ at most by this. */
export const maxClockDifferenceMs = 60_000;

interface Pair {
  readonly row: BilledCall;
  readonly call: BookedCall;
  readonly distanceMs: number;
}

/**
 * Joins rows whose request id the ledger lacks with calls whose response was lost, so that they have no request id. Equal
 * amounts are joined first: an earlier bill may have settled them. A call without an amount gets the nearest row of its
 * model that can be its charge.
 */
export function matchLostCalls(
  rows: readonly BilledCall[],
  calls: Iterable<BookedCall>,
): Map<BilledCall, BookedCall> {
  const byHour = groupByHour(calls);
  const pairs = rows.flatMap((row) => pairsOf(row, byHour));
  pairs.sort((a, b) => rankOf(a) - rankOf(b) || a.distanceMs - b.distanceMs || a.row.row - b.row.row);
  const matches = new Map<BilledCall, BookedCall>();
  const taken = new Set<BookedCall>();
  for (const { row, call } of pairs) {
    if (matches.has(row) || taken.has(call)) continue;
    matches.set(row, call);
    taken.add(call);
  }
  return matches;
}

const rankOf = ({ call }: Pair): number => (call.microUsd === null ? 1 : 0);
const hourOf = (timeMs: number): number => Math.floor(timeMs / 3_600_000);

function groupByHour(calls: Iterable<BookedCall>): Map<number, BookedCall[]> {
  const byHour = new Map<number, BookedCall[]>();
  for (const call of calls) {
    if (call.requestId !== null) continue;
    const hour = hourOf(call.atMs);
    const group = byHour.get(hour);
    if (group) group.push(call);
    else byHour.set(hour, [call]);
  }
  return byHour;
}

function pairsOf(row: BilledCall, byHour: ReadonlyMap<number, readonly BookedCall[]>): Pair[] {
  const { atMs } = row;
  if (atMs === null) return [];
  const pairs: Pair[] = [];
  for (let hour = hourOf(atMs - maxBillingDelayMs); hour <= hourOf(atMs + maxClockDifferenceMs); hour += 1) {
    for (const call of byHour.get(hour) ?? []) {
      if (isNear(row, call) && isSameModel(row, call) && canBe(row, call))
        pairs.push({ row, call, distanceMs: Math.abs(atMs - call.atMs) });
    }
  }
  return pairs;
}

/** Whether a row without a time, or with a time near to the start of a call, may be about the call. */
export function isNear({ atMs }: BilledCall, call: BookedCall): boolean {
  if (atMs === null) return true;
  const afterMs = atMs - call.atMs;
  return afterMs >= -maxClockDifferenceMs && afterMs <= maxBillingDelayMs;
}

const isSameModel = ({ model }: BilledCall, call: BookedCall): boolean =>
  model === null || modelFamily(model) === modelFamily(call.model);

/** The ledger rounds an amount to a micro-USD. */
const canBe = ({ microUsd }: BilledCall, call: BookedCall): boolean =>
  call.microUsd === null ? canBeChargeOf(microUsd, call) : Math.abs(microUsd - call.microUsd) < 1;
