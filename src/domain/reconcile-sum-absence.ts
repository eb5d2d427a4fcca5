import {
  type BillScope,
  type BookedCall,
  maxBillingDelayMs,
  modelFamily,
  type UnknownReason,
} from './bill.ts';

/** Billed and booked amounts of one model in one period. */
export interface Bucket {
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
  /** `null`: every model. */
  readonly model: string | null;
  /** First row of the bill; `null` if the bill has none. */
  readonly row: number | null;
  billed: number;
  readonly calls: BookedCall[];
}

/** Returns the known charges of a bucket, in micro-USD. */
export const bookedOf = ({ calls }: Bucket): number =>
  calls.reduce((sum, { microUsd }) => sum + (microUsd ?? 0), 0);

/** Returns the largest difference that rounding explains: the ledger rounds every call to a micro-USD. */
const roundingOf = ({ calls }: Bucket): number => Math.max(0.5, calls.length / 2) + 1e-3;

/** Whether a difference to a bucket is within the rounding of the ledger. */
export const isEqual = (difference: number, bucket: Bucket): boolean =>
  Math.abs(difference) <= roundingOf(bucket);

/** Whether a bill has the final sum of a period, and the ledger was read for all of the period. */
export const isFinal = ({ fromMs, toMs }: Bucket, scope: BillScope): boolean =>
  toMs <= scope.asOfMs && fromMs >= scope.fromMs && toMs <= scope.toMs;

/**
 * Returns a function that decides if sums prove that a possible charge was free: `null`, or the reason why they do not.
 * The sum of the model must equal the known charges in each period in which the charge could be billed. If the bill has
 * no sum of the model, every sum of the period must. No other sum of the period may exceed its known charges by an amount
 * that can be the charge.
 */
export function createSumAbsenceCheck(
  buckets: readonly Bucket[],
  scope: BillScope,
): (call: BookedCall) => UnknownReason | null {
  return (call) => {
    const times = [call.atMs, call.atMs + maxBillingDelayMs];
    const periods = times.map((timeMs) =>
      buckets.filter(({ fromMs, toMs }) => timeMs >= fromMs && timeMs < toMs),
    );
    if (periods.flat().some(({ toMs }) => toMs > scope.asOfMs)) return 'day_not_over';
    return periods.every((period) => provesAbsence(period, call, scope)) ? null : 'inconclusive';
  };
}

function provesAbsence(period: readonly Bucket[], call: BookedCall, scope: BillScope): boolean {
  const billed = period.filter(({ row }) => row !== null);
  const ofModel = billed.filter(({ model }) => model === null || model === modelFamily(call.model));
  if (billed.length === 0) return false;
  const compared = ofModel.length > 0 ? ofModel : period;
  return (
    period.every((bucket) => isFinal(bucket, scope) && !mayHaveCharge(bucket, call)) &&
    compared.every((bucket) => isEqual(bucket.billed - bookedOf(bucket), bucket) && !canHide(bucket, call))
  );
}

/** Whether the surplus of a sum can be the charge of a call. */
function mayHaveCharge(bucket: Bucket, { maxMicroUsd }: BookedCall): boolean {
  const surplus = bucket.billed - bookedOf(bucket);
  return (
    !isEqual(surplus, bucket) && surplus > 0 && surplus <= (maxMicroUsd ?? Number.POSITIVE_INFINITY) + 0.5
  );
}

/** Whether so many calls were rounded that a tenth of the largest charge would not be seen in their sum. */
const canHide = (bucket: Bucket, { maxMicroUsd }: BookedCall): boolean =>
  maxMicroUsd !== null && roundingOf(bucket) > Math.max(1, maxMicroUsd / 10);
