import type { BookedCall, Finding, Reconciliation, SettledByBill, UnknownReason } from '../../domain/bill.ts';
import { table } from './context.ts';
import { printable } from './printable.ts';

/** A charge that was settled, or the reason why it was not. */
export interface SettleResult extends SettledByBill {
  readonly error: string | null;
}

type Result = SettledByBill & Partial<SettleResult>;

const reasons: Readonly<Record<UnknownReason, string>> = {
  in_flight: 'the job has not ended',
  day_not_over: 'the bill was exported before the day of the charge was over',
  inconclusive: 'the bill states no amount, and is not complete enough to prove that it was free',
};

const viewCall = ({ id, tenant, jobId }: BookedCall) => ({ id, tenant, job_id: jobId });

/** Returns a comparison as JSON. @param settled results of `--settle`; `null` without it. */
export function viewReconciliation(compared: Reconciliation, settled: readonly SettleResult[] | null) {
  const settles: readonly Result[] = settled ?? compared.settles;
  return {
    billed_micro_usd: compared.billedMicroUsd,
    booked_micro_usd: compared.bookedMicroUsd,
    explained_micro_usd: compared.explainedMicroUsd,
    findings: compared.findings.map(({ calls, ...finding }) => ({ ...finding, calls: calls.map(viewCall) })),
    settles: settles.map(({ call, microUsd, error }) => ({
      ...viewCall(call),
      micro_usd: microUsd,
      ...(error === undefined ? {} : { error }),
    })),
    settled: settled !== null,
    unknown: compared.unknown.map(({ call, reason }) => ({
      ...viewCall(call),
      micro_usd_possible: call.maxMicroUsd,
      reason,
    })),
  };
}

const usd = (microUsd: number): string => (microUsd / 1e6).toFixed(6);
const cellsOf = ({ tenant, jobId, id }: BookedCall): string[] => [tenant, jobId, id];

/** Returns a comparison for people. @param settled results of `--settle`; `null` without it. */
export function describeReconciliation(
  compared: Reconciliation,
  settled: readonly SettleResult[] | null,
): string {
  const { findings, unknown } = compared;
  const parts = [
    [
      `billed     ${usd(compared.billedMicroUsd)} USD`,
      `in ledger  ${usd(compared.bookedMicroUsd)} USD`,
      `explained  ${usd(compared.explainedMicroUsd)} USD`,
    ].join('\n'),
  ];
  if (findings.length > 0)
    parts.push(table([['FINDING', 'ROW', 'MODEL', 'DIFFERENCE', 'CALLS'], ...findings.map(findingRow)]));
  parts.push(...settlesOf(compared.settles, settled));
  if (unknown.length > 0) {
    const rows = unknown.map(({ call, reason }) => [
      ...cellsOf(call),
      call.maxMicroUsd === null ? 'no bound' : `<= ${usd(call.maxMicroUsd)}`,
      reasons[reason],
    ]);
    parts.push(table([['TENANT', 'JOB', 'STILL UNKNOWN', 'USD', 'REASON'], ...rows]));
  }
  return [...parts, conclusionOf(compared, settled)].join('\n\n');
}

function settlesOf(settles: readonly SettledByBill[], settled: readonly SettleResult[] | null): string[] {
  if (settles.length === 0) return [];
  const results: readonly Result[] = settled ?? settles;
  const rows = results.map(({ call, microUsd, error = null }) => [
    ...[...cellsOf(call), usd(microUsd)],
    ...(error === null ? [] : [`FAILED: ${printable(error)}`]),
  ]);
  const heads = ['TENANT', 'JOB', settled === null ? 'POSSIBLE CHARGE' : 'SETTLED', 'USD'];
  const hint = settled === null ? ['Repeat the command with --settle to settle these charges.'] : [];
  return [table([heads, ...rows]), ...hint];
}

function conclusionOf(
  { findings, settles, unknown }: Reconciliation,
  settled: readonly SettleResult[] | null,
): string {
  const failed = settled?.filter(({ error }) => error !== null).length ?? 0;
  const faults = [
    ...(findings.length > 0 ? [`Differences: ${findings.length}.`] : []),
    ...(failed > 0 ? [`Charges that were not settled because of an error: ${failed}.`] : []),
    ...(unknown.length > 0 ? [`Possible charges that stay unknown: ${unknown.length}.`] : []),
  ];
  if (faults.length > 0) return faults.join(' ');
  const isPending = settled === null && settles.length > 0;
  return isPending ? 'No differences besides these charges.' : 'Bill and ledger are equal.';
}

function findingRow({ kind, row, model, difference, calls }: Finding): string[] {
  const amount = kind === 'request_count_differs' ? `${difference} requests` : `${usd(difference)} USD`;
  return [kind, String(row ?? '-'), model ?? '-', amount, calls.map(({ id }) => id).join(' ') || '-'];
}
