import {
  type AmountComparison,
  type BilledSum,
  type BillScope,
  type BookedCall,
  canBeChargeOf,
  type Finding,
  isRounded,
  maxBillingDelayMs,
  modelFamily,
  type SettledByBill,
} from './bill.ts';
import { type Bucket, bookedOf, createSumAbsenceCheck, isEqual, isFinal } from './reconcile-sum-absence.ts';

/** Compares sums of periods with the ledger. Rows of one period and model are added up, for example its line items. */
export function reconcileSums(
  rows: readonly BilledSum[],
  booked: readonly BookedCall[],
  scope: BillScope,
): AmountComparison {
  const buckets = bucketsOf(rows, booked);
  for (const bucket of buckets) shiftLateCalls(bucket, buckets);
  const periods = new Map<Finding, number>();
  const settles: SettledByBill[] = [];
  for (const bucket of buckets) {
    const settled = settleBySurplus(bucket, buckets, scope);
    if (settled) settles.push(settled);
    const finding = settled ? null : compareBucket(bucket);
    if (finding) periods.set(finding, bucket.fromMs);
  }
  const stated = new Set(settles.map(({ call }) => call));
  const unknownReasonOf = createSumAbsenceCheck(buckets, scope);
  const unknown = booked.flatMap((call) => {
    if (call.microUsd !== null || stated.has(call)) return [];
    const reason = call.isInFlight ? 'in_flight' : unknownReasonOf(call);
    if (reason !== null) return { call, reason };
    settles.push({ call, microUsd: 0 });
    return [];
  });
  const findings = [...periods.keys()];
  const differences = findings.reduce((sum, { difference }) => sum + Math.max(0, difference), 0);
  const billed = rows.reduce((sum, { microUsd }) => sum + microUsd, 0);
  return { findings: withOtherModels(periods), settles, unknown, explainedMicroUsd: billed - differences };
}

function bucketsOf(rows: readonly BilledSum[], booked: readonly BookedCall[]): Bucket[] {
  const buckets = new Map<string, Bucket>();
  const hasModels = rows.some(({ model }) => model !== null);
  for (const { fromMs, toMs, microUsd, row, ...rest } of rows) {
    const model = modelFamily(rest.model);
    const name = `${fromMs} ${model}`;
    const bucket = buckets.get(name) ?? { fromMs, toMs, model, row, billed: 0, calls: [] };
    buckets.set(name, bucket);
    bucket.billed += microUsd;
  }
  const periods = [...new Map(rows.map(({ fromMs, toMs }) => [fromMs, toMs]))];
  for (const call of booked) {
    const period = periods.find(([fromMs, toMs]) => call.atMs >= fromMs && call.atMs < toMs);
    if (!period) continue;
    const [fromMs, toMs] = period;
    const model = hasModels ? modelFamily(call.model) : null;
    const name = `${fromMs} ${model}`;
    const bucket = buckets.get(name) ?? { fromMs, toMs, model, row: null, billed: 0, calls: [] };
    buckets.set(name, bucket);
    bucket.calls.push(call);
  }
  return [...buckets.values()].sort((a, b) => a.fromMs - b.fromMs);
}

/** Moves the last calls of a period into the next one if exactly these are missing here and billed there. */
function shiftLateCalls(bucket: Bucket, buckets: readonly Bucket[]): void {
  const missing = bookedOf(bucket) - bucket.billed;
  const next = buckets.find(({ fromMs, model }) => fromMs === bucket.toMs && model === bucket.model);
  if (missing <= 0 || !next || isEqual(missing, bucket) || next.billed - bookedOf(next) <= 0) return;
  const late = bucket.calls
    .filter(({ atMs }) => atMs >= bucket.toMs - maxBillingDelayMs)
    .sort((a, b) => b.atMs - a.atMs);
  let sum = 0;
  for (const [i, call] of late.entries()) {
    sum += call.microUsd ?? 0;
    if (Math.abs(sum - missing) > (i + 1) / 2 + 0.5) continue;
    for (const each of late.slice(0, i + 1)) bucket.calls.splice(bucket.calls.indexOf(each), 1);
    next.calls.push(...late.slice(0, i + 1));
    return;
  }
}

const openOf = ({ calls }: Bucket): BookedCall[] => calls.filter(({ microUsd }) => microUsd === null);

/** Settles the only possible charge of a final sum by the part of the sum that the known charges do not explain. */
function settleBySurplus(bucket: Bucket, buckets: readonly Bucket[], scope: BillScope): SettledByBill | null {
  const difference = bucket.billed - bookedOf(bucket);
  const [only, ...others] = openOf(bucket);
  if (!only || others.length > 0 || only.isInFlight || !isFinal(bucket, scope)) return null;
  if (difference <= 0 || isEqual(difference, bucket) || !canBeChargeOf(difference, only)) return null;
  // A charge that another model lacks may have been billed here.
  const isShort = (each: Bucket) => each.fromMs === bucket.fromMs && lacks(each);
  return buckets.some(isShort) ? null : { call: only, microUsd: Math.round(difference) };
}

const lacks = (bucket: Bucket): boolean => {
  const missing = bookedOf(bucket) - bucket.billed;
  return missing > 0 && !isEqual(missing, bucket);
};

function compareBucket(bucket: Bucket): Finding | null {
  const { row, model, calls } = bucket;
  const difference = bucket.billed - bookedOf(bucket);
  if (isEqual(difference, bucket)) return null;
  const open = openOf(bucket);
  const most = open.reduce((sum, { maxMicroUsd }) => sum + (maxMicroUsd ?? Number.POSITIVE_INFINITY), 0.5);
  if (difference > 0 && open.length > 0 && difference <= most)
    return { kind: 'unexplained', row, model, difference, calls: open };
  if (row === null) return { kind: 'not_billed', row, model, difference, calls };
  const same = callsThatCost(Math.abs(difference), bucket);
  if (same.length > 0) {
    return { kind: difference > 0 ? 'double_charge' : 'not_billed', row, model, difference, calls: same };
  }
  if (isRounded(bucket.billed, bookedOf(bucket)))
    return { kind: 'rounding', row, model, difference, calls: [] };
  const kind = calls.length === 0 ? 'not_in_ledger' : 'unexplained';
  return { kind, row, model, difference, calls: difference > 0 ? open : [] };
}

/** Returns the calls whose cost is nearest to an amount, if it is equal within the rounding of the ledger. */
function callsThatCost(amount: number, bucket: Bucket): BookedCall[] {
  const distanceOf = ({ microUsd }: BookedCall) =>
    microUsd === null ? Number.POSITIVE_INFINITY : Math.abs(microUsd - amount);
  // A day may have more calls than a function may have arguments.
  const nearest = bucket.calls.reduce(
    (least, call) => Math.min(least, distanceOf(call)),
    Number.POSITIVE_INFINITY,
  );
  return isEqual(nearest, bucket) ? bucket.calls.filter((call) => distanceOf(call) === nearest) : [];
}

/**
 * Joins a call that one model lacks with a surplus of another model in the same period.
 *
 * @param periods begin of the period of each finding.
 */
function withOtherModels(periods: ReadonlyMap<Finding, number>): Finding[] {
  const findings = [...periods.keys()];
  const joined = new Set<Finding>();
  const result: Finding[] = [];
  for (const missing of findings.filter(({ kind }) => kind === 'not_billed')) {
    const surplus = findings.find(
      (each) =>
        each.difference > 0 &&
        !joined.has(each) &&
        each.kind !== 'double_charge' &&
        each.model !== missing.model &&
        periods.get(each) === periods.get(missing),
    );
    if (!surplus) continue;
    joined.add(missing).add(surplus);
    const difference = surplus.difference + missing.difference;
    result.push({ ...surplus, kind: 'other_model', difference, calls: missing.calls });
  }
  return [...findings.filter((each) => !joined.has(each)), ...result];
}
