/** A bill of the provider in common form, whatever export it comes from. Amounts are micro-USD and may have fractions. */

/** A row about one call. */
export interface BilledCall {
  readonly kind: 'call';
  /** Line of the file or position in it, from 1, for people. */
  readonly row: number;
  /** Provider's id of the request; `null` if the export has none. */
  readonly requestId: string | null;
  readonly model: string | null;
  readonly microUsd: number;
  readonly atMs: number | null;
}

/** A row with the sum of a period. */
export interface BilledSum {
  readonly kind: 'sum';
  readonly row: number;
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
  /** `null`: every model. */
  readonly model: string | null;
  readonly microUsd: number;
}

/** A row with the number of requests of a period. */
export interface BilledCount {
  readonly kind: 'count';
  readonly row: number;
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
  readonly model: string | null;
  readonly requests: number;
}

export type BilledEntry = BilledCall | BilledSum | BilledCount;

/** Returns the name of a model without the date of its version, so that an alias and its version are equal. */
export const modelFamily = (model: string | null): string | null =>
  model === null ? null : model.toLowerCase().replace(/-\d{4}-\d\d-\d\d$/, '');

/** A line of the ledger with the facts that a bill is compared with. */
export interface BookedCall {
  readonly id: string;
  readonly tenant: string;
  readonly jobId: string;
  readonly attempt: number;
  readonly model: string | null;
  readonly requestId: string | null;
  readonly atMs: number;
  /** `null` if the charge is not settled. */
  readonly microUsd: number | null;
  /** The most that a charge that is not settled can be; `null` if that is unknown. */
  readonly maxMicroUsd: number | null;
  /** Whether the call or its job has not ended. Its cost may still become known, so it cannot be settled. */
  readonly isInFlight: boolean;
}

/** Limits of a comparison, in milliseconds. */
export interface BillScope {
  /** Start of the compared part of the ledger. */
  readonly fromMs: number;
  /** End of the compared part of the ledger, exclusive. */
  readonly toMs: number;
  /** Time at which the bill was exported. It cannot have later charges. */
  readonly asOfMs: number;
}

/** A charge is billed at most this long after its call began, so a call before midnight may be billed on the next day. */
export const maxBillingDelayMs = 3_600_000;

export const findingKinds = [
  'double_charge',
  'not_in_ledger',
  'not_billed',
  'other_model',
  'rounding',
  'amount_differs',
  'request_count_differs',
  'unexplained',
] as const;
export type FindingKind = (typeof findingKinds)[number];

/** A difference between bill and ledger. */
export interface Finding {
  readonly kind: FindingKind;
  /** Row of the export; `null` if the ledger has a call that the export lacks. */
  readonly row: number | null;
  readonly model: string | null;
  /** Billed minus booked micro-USD; for counts, requests. */
  readonly difference: number;
  /** Calls that may be the cause. */
  readonly calls: readonly BookedCall[];
}

/** A charge whose amount the bill states; 0 if a complete bill does not have the call. */
export interface SettledByBill {
  readonly call: BookedCall;
  readonly microUsd: number;
}

/** Reasons why a bill does not settle a possible charge. */
export type UnknownReason = 'in_flight' | 'day_not_over' | 'inconclusive';

/** A possible charge whose amount the bill does not state. */
export interface UnknownCharge {
  readonly call: BookedCall;
  readonly reason: UnknownReason;
}

export interface Reconciliation {
  readonly billedMicroUsd: number;
  readonly bookedMicroUsd: number;
  /** Billed micro-USD that calls of the ledger explain. */
  readonly explainedMicroUsd: number;
  readonly findings: readonly Finding[];
  readonly settles: readonly SettledByBill[];
  /** Possible charges that stay unknown. Every charge without an amount is here or in `settles`. */
  readonly unknown: readonly UnknownCharge[];
}

/** Comparison of the billed amounts with the ledger. */
export type AmountComparison = Pick<Reconciliation, 'explainedMicroUsd' | 'findings' | 'settles' | 'unknown'>;

/**
 * Whether an amount without a request id can be the charge of a call that is not settled. The account may have other users,
 * and a customer must not pay for them, so nothing above the bound of the call is taken for its charge.
 */
export const canBeChargeOf = (microUsd: number, { maxMicroUsd }: BookedCall): boolean =>
  maxMicroUsd !== null && microUsd <= maxMicroUsd + 0.5;

/** Units to which exports round: a cent and its decimal parts, in micro-USD. */
const roundingUnits = [10_000, 1_000, 100, 10] as const;

/** Whether an amount is another one rounded, up or down, to a cent or a decimal part of it. */
export function isRounded(billed: number, booked: number): boolean {
  return roundingUnits.some((unit) => billed % unit === 0 && Math.abs(billed - booked) < unit);
}
