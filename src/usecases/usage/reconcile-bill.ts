import type { BilledEntry, BookedCall, Reconciliation } from '../../domain/bill.ts';
import type { LedgerLine } from '../../domain/ledger.ts';
import type { JobStore } from '../../domain/ports.ts';
import { reconcile } from '../../domain/reconcile.ts';
import type { LedgerRange, ReadLedger } from './read-ledger.ts';

interface Deps {
  records: Pick<JobStore, 'tenants'>;
  readLedger: ReadLedger;
}

/** Compares a bill with the ledgers of all tenants, because they share the account at the provider. */
export function createReconcileBill(deps: Deps) {
  return async (
    entries: readonly BilledEntry[],
    options: { readonly provider: string; readonly period?: LedgerRange | undefined },
  ): Promise<Reconciliation> => {
    const period = options.period ?? periodOf(entries);
    const booked: BookedCall[] = [];
    for (const tenant of await deps.records.tenants()) {
      for await (const line of deps.readLedger(tenant, period)) {
        if (line.provider === options.provider && line.billing !== 'none')
          booked.push(bookedOf(tenant, line));
      }
    }
    return reconcile(entries, booked);
  };
}
export type ReconcileBill = ReturnType<typeof createReconcileBill>;

const bookedOf = (tenant: string, line: LedgerLine): BookedCall => ({
  id: line.id,
  tenant,
  jobId: line.job_id,
  attempt: line.attempt,
  model: line.model,
  requestId: line.provider_request_id,
  atMs: Date.parse(line.at),
  microUsd: line.micro_usd,
  maxMicroUsd: line.micro_usd_possible,
});

/** Returns the period of a bill: its buckets, or the days of its calls. */
function periodOf(entries: readonly BilledEntry[]): LedgerRange {
  const dayMs = 86_400_000;
  let fromMs = Number.POSITIVE_INFINITY;
  let toMs = Number.NEGATIVE_INFINITY;
  for (const entry of entries) {
    if (entry.kind === 'call') {
      if (entry.atMs === null) continue;
      fromMs = Math.min(fromMs, Math.floor(entry.atMs / dayMs) * dayMs);
      toMs = Math.max(toMs, (Math.floor(entry.atMs / dayMs) + 1) * dayMs);
    } else {
      fromMs = Math.min(fromMs, entry.fromMs);
      toMs = Math.max(toMs, entry.toMs);
    }
  }
  if (fromMs > toMs) throw new Error('The rows have no times. Name the period with --from and --to.');
  return { fromMs, toMs };
}
