import type { AuditEntry } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import { type Settlement, settleCharges } from '../../domain/job-settlement.ts';
import type { Clock, JobStore } from '../../domain/ports.ts';
import type { UpdateJob } from './update-job.ts';

interface Deps {
  records: Pick<JobStore, 'get'>;
  updateJob: UpdateJob;
  /** Appends an entry to the audit log of a tenant. */
  appendAudit: (tenant: string, entry: AuditEntry) => Promise<void>;
  clock: Clock;
}

/**
 * Settles the unknown charges of a job, also of an erased one. Budgets, usage and ledger change in the same atomic step.
 * The audit log has an entry before the job changes. Idempotent: the same settlement again changes nothing.
 *
 * @throws AppError `not_found`, `nothing_to_settle`
 */
export function createSettleJob(deps: Deps) {
  return async (
    { tenant, id, ...settlement }: Settlement & { readonly tenant: string; readonly id: string },
    auditEntry: (nowMs: number) => AuditEntry,
  ): Promise<ImageJob> => {
    const nowMs = deps.clock();
    const job = await deps.records.get(tenant, id);
    if (!job) throw new AppError('not_found', { detail: 'There is no image job with this id.' });
    if (settleCharges(job, settlement, nowMs) === null) return job;
    await deps.appendAudit(tenant, auditEntry(nowMs));
    return (await deps.updateJob(job, (now) => settleCharges(now, settlement, nowMs), job)) ?? job;
  };
}
export type SettleJob = ReturnType<typeof createSettleJob>;
