import type { CallerPolicy } from '../../domain/access-policy.ts';
import { type BudgetCap, capsOf, viewOfCap } from '../../domain/budget.ts';
import { startOfWindow } from '../../domain/budget-window.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { BudgetThresholds, Ids, Log, Spending, TaskQueue, ThresholdMark } from '../../domain/ports.ts';
import { queueEvent } from './enqueue-event.ts';

interface Deps {
  thresholds: BudgetThresholds;
  spending: Spending;
  policyOf: (tenant: string, keyId: string | undefined) => Promise<CallerPolicy>;
  webhookQueue: TaskQueue;
  ids: Pick<Ids, 'event'>;
  log: Log;
}

/** Maximum number of marks per call. The next round of the sweeper takes the rest. */
const maxMarks = 100;

/**
 * Reports the thresholds of budgets that a tenant has reached: one `budget.threshold` event for each share, limit and window.
 * The store marks a threshold in the step that reaches it. After a crash the sweeper reports the marks that are left.
 */
export function createReportThresholds(deps: Deps) {
  async function findCap(tenant: string, mark: ThresholdMark): Promise<BudgetCap | undefined> {
    const { keyId, atMs } = mark;
    const acceptedAtMs = startOfWindow(mark.windowName) ?? atMs;
    const caps = capsOf(await deps.policyOf(tenant, keyId), keyId, { acceptedAtMs, nowMs: atMs });
    const [cap] = caps.filter(mark.isOf);
    // The event reports the limit that was reached, because the budget may have been changed since.
    return cap && { ...cap, limitMicroUsd: mark.limitMicroUsd ?? cap.limitMicroUsd };
  }

  async function eventOf(tenant: string, cap: BudgetCap, { keyId, percent, atMs }: ThresholdMark) {
    const [figures = { heldMicroUsd: 0, spentMicroUsd: 0 }] = await deps.spending.read(tenant, [cap]);
    const owner = keyId === undefined ? { tenant } : { key_id: keyId };
    const data = { ...owner, budget: viewOfCap({ cap, ...figures }), threshold_percent: percent };
    const body = JSON.stringify({ type: 'budget.threshold', timestamp: isoTime(atMs), data });
    return { id: deps.ids.event(atMs), limitMicroUsd: cap.limitMicroUsd, body };
  }

  return async (tenant: string): Promise<void> => {
    for (const mark of await deps.thresholds.list(tenant, maxMarks)) {
      const cap = await findCap(tenant, mark);
      // The budget may have been removed since.
      const event = cap ? await eventOf(tenant, cap, mark) : null;
      const isWritten = await deps.thresholds.resolve(tenant, mark, event);
      if (event && isWritten) await queueEvent(deps, { tenant, id: event.id });
    }
  };
}
export type ReportThresholds = ReturnType<typeof createReportThresholds>;

/** Reports thresholds without a wait for the result. If that fails, the sweeper reports them. */
export function reportInBackground(
  { reportThresholds, log }: { reportThresholds: ReportThresholds; log: Log },
  tenant: string,
): void {
  reportThresholds(tenant).catch((error) => {
    log.warn({ err: error, tenant }, 'threshold of a budget not reported; the sweeper will report it');
  });
}
