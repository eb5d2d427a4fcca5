import {
  type BilledCall,
  type BillScope,
  type BookedCall,
  maxBillingDelayMs,
  modelFamily,
  type UnknownReason,
} from './bill.ts';
import { isNear } from './reconcile-lost-calls.ts';
import { startOfUtcDay, utcDayOf } from './utc-day.ts';

/** Result of the comparison of rows with known calls. */
interface Compared {
  readonly rows: readonly BilledCall[];
  /** Calls that the bill has. */
  readonly billed: readonly BookedCall[];
  /** Calls with a known charge that the bill lacks. */
  readonly missing: readonly BookedCall[];
  /** Rows that no call explains. */
  readonly surplus: readonly BilledCall[];
}

/**
 * Returns a function that decides if the absence of a possible charge from a bill proves that it was free: `null`, or the
 * reason why it does not. The bill must be complete for each UTC day on which the charge could be billed, and for the
 * model of the call if the bill has rows of that model. A row that no call explains must not be the charge.
 */
export function createAbsenceCheck(
  { rows, billed, missing, surplus }: Compared,
  { fromMs, toMs, asOfMs }: BillScope,
): (call: BookedCall) => UnknownReason | null {
  const covered = new Set<string>();
  for (const { atMs, model } of rows) if (atMs !== null) addNames(covered, atMs, model);
  for (const { atMs, model } of billed) addNames(covered, atMs, model);
  const incomplete = new Set<string>();
  for (const { atMs, model } of missing) addNames(incomplete, atMs, model);
  const hasModels = rows.some(({ model }) => model !== null);

  const isComplete = (day: number, { model }: BookedCall): boolean => {
    const ofModel = nameOf(day, model);
    const name = hasModels && covered.has(ofModel) ? ofModel : String(day);
    return covered.has(name) && !incomplete.has(name);
  };
  return (call) => {
    const days = [...new Set([call.atMs, call.atMs + maxBillingDelayMs].map(utcDayOf))];
    if (days.some((day) => startOfUtcDay(day + 1) > asOfMs)) return 'day_not_over';
    const isCompared = days.every((day) => startOfUtcDay(day) >= fromMs && startOfUtcDay(day + 1) <= toMs);
    if (!isCompared || !days.every((day) => isComplete(day, call))) return 'inconclusive';
    return surplus.some((row) => mayBeCharge(row, call)) ? 'inconclusive' : null;
  };
}

const nameOf = (day: number, model: string | null): string => `${day} ${modelFamily(model)}`;

/** Adds the names of a day, and of the day and a model. */
function addNames(names: Set<string>, atMs: number, model: string | null): void {
  const day = utcDayOf(atMs);
  names.add(String(day)).add(nameOf(day, model));
}

const mayBeCharge = (row: BilledCall, call: BookedCall): boolean =>
  isNear(row, call) && (call.maxMicroUsd === null || row.microUsd <= call.maxMicroUsd + 0.5);
