import type { BilledEntry, BookedCall, Reconciliation } from '../../domain/bill.ts';
import { isTerminal } from '../../domain/image-job.ts';
import type { LedgerLine } from '../../domain/ledger.ts';
import type { JobStore } from '../../domain/ports.ts';
import { reconcile } from '../../domain/reconcile.ts';
import type { LedgerRange, ReadLedger } from './read-ledger.ts';

interface Deps {
  records: Pick<JobStore, 'tenants' | 'get'>;
  readLedger: ReadLedger;
}

export interface BillOptions {
  /** Provider that sent the bill. Default: the only provider of the ledger in the period. */
  readonly provider?: string | undefined;
  /** Start of the compared period. Default: the start of the bill. */
  readonly fromMs?: number | undefined;
  /** End of the compared period, exclusive. Default: the end of the bill. */
  readonly toMs?: number | undefined;
  /** Time at which the bill was exported. */
  readonly asOfMs: number;
}

type TenantLine = LedgerLine & { readonly tenant: string };

/**
 * Compares a bill with the ledgers of all tenants, because they share the account at the provider.
 *
 * @throws Error if the period is empty or unknown, or if it is unclear which provider sent the bill.
 */
export function createReconcileBill(deps: Deps) {
  async function bookedOf(line: TenantLine): Promise<BookedCall> {
    return {
      id: line.id,
      tenant: line.tenant,
      jobId: line.job_id,
      attempt: line.attempt,
      model: line.model,
      requestId: line.provider_request_id,
      atMs: Date.parse(line.at),
      microUsd: line.micro_usd,
      maxMicroUsd: line.micro_usd_possible,
      isInFlight: line.micro_usd === null && (await isInFlight(line)),
    };
  }

  async function isInFlight({ tenant, job_id, state }: TenantLine): Promise<boolean> {
    if (state === 'calling' || state === 'received') return true;
    const job = await deps.records.get(tenant, job_id);
    return job !== null && !isTerminal(job.status);
  }

  return async (entries: readonly BilledEntry[], options: BillOptions): Promise<Reconciliation> => {
    const period = periodOf(entries, options);
    const lines: TenantLine[] = [];
    for (const tenant of await deps.records.tenants()) {
      for await (const line of deps.readLedger(tenant, period)) lines.push({ ...line, tenant });
    }
    const provider = providerOf(lines, options.provider);
    const booked: BookedCall[] = [];
    for (const line of lines) if (line.provider === provider) booked.push(await bookedOf(line));
    return reconcile(entries, booked, { ...period, asOfMs: options.asOfMs });
  };
}
export type ReconcileBill = ReturnType<typeof createReconcileBill>;

function providerOf(lines: readonly TenantLine[], given: string | undefined): string | null {
  const providers = new Set<string>();
  for (const { provider } of lines) if (provider !== null) providers.add(provider);
  const known = [...providers].sort();
  if (given !== undefined) {
    // A ledger without calls can be compared with the bill of any provider.
    if (known.length === 0 || providers.has(given)) return given;
    throw new Error(
      `The ledger has no call of the provider ${given} in this period. It has calls of: ${known.join(', ')}.`,
    );
  }
  if (known.length > 1) {
    throw new Error(`The ledger has calls of ${known.join(', ')}. Name the sender of the bill: --provider.`);
  }
  return known[0] ?? null;
}

/** Returns the period of a bill: its buckets or the days of its calls, within the limits of the options. */
function periodOf(
  entries: readonly BilledEntry[],
  limits: Pick<BillOptions, 'fromMs' | 'toMs'>,
): LedgerRange {
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
  const period = { fromMs: limits.fromMs ?? fromMs, toMs: limits.toMs ?? toMs };
  if (!Number.isFinite(period.fromMs) || !Number.isFinite(period.toMs))
    throw new Error('The rows have no times. Name the period with --from and --to.');
  if (period.fromMs >= period.toMs)
    throw new Error('The compared period is empty. --from must be before --to.');
  return period;
}
