import type { BookedCall } from '../../domain/bill.ts';
import type { ReconcileBill } from '../../usecases/usage/reconcile-bill.ts';
import type { ReportUsage } from '../../usecases/usage/report-usage.ts';

/** Verbs of the command line for usage and ledger, for all tenants. */
export interface UsageTools {
  readonly tenants: () => Promise<string[]>;
  readonly reportUsage: ReportUsage;
  readonly reconcileBill: ReconcileBill;
  /** Settles one call. */
  settle(call: BookedCall, microUsd: number): Promise<void>;
}
