import type { BilledCall, BilledSum, BillScope, BookedCall } from '../../src/domain/bill.ts';

/** Day of the calls, which begin a minute after each other from midnight (UTC). */
export const billedDay = Date.UTC(2026, 10, 23);
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** Scope of a bill that was exported long after its days. */
export const wholeScope: BillScope = {
  fromMs: billedDay - dayMs,
  toMs: billedDay + 9 * dayMs,
  asOfMs: billedDay + 30 * dayMs,
};

/** Returns a call of the ledger that began in minute `no` of the day. */
export function bookedCall(no: number, fields: Partial<BookedCall> = {}): BookedCall {
  return {
    id: `img_${no}.1`,
    tenant: 'acme',
    jobId: `img_${no}`,
    attempt: 1,
    model: 'gpt-image-2',
    requestId: `req_${no}`,
    atMs: billedDay + no * 60_000,
    microUsd: 5_970 + 7 * no,
    maxMicroUsd: null,
    isInFlight: false,
    ...fields,
  };
}

/** Returns a call whose response was lost. */
export const lostCall = (no: number, fields: Partial<BookedCall> = {}): BookedCall =>
  bookedCall(no, { microUsd: null, maxMicroUsd: 6_460, requestId: null, ...fields });

/** Returns the row of a bill about a call. */
export const billedRow = (
  { requestId, model, atMs, microUsd }: BookedCall,
  row: number,
  fields: Partial<BilledCall> = {},
): BilledCall => ({
  kind: 'call',
  row,
  requestId,
  model,
  microUsd: microUsd ?? 0,
  atMs: atMs + 20_000,
  ...fields,
});

/** Returns the row of a bill with the sum of a day, counted from the first day. */
export const billedSum = (day: number, model: string | null, microUsd: number): BilledSum => ({
  kind: 'sum',
  row: day + 2,
  fromMs: billedDay + day * dayMs,
  toMs: billedDay + (day + 1) * dayMs,
  model,
  microUsd,
});

/** Returns the sum of the known charges. */
export const knownSum = (calls: readonly BookedCall[]): number =>
  calls.reduce((sum, { microUsd }) => sum + (microUsd ?? 0), 0);
