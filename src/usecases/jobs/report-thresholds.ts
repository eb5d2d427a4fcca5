import type { CallerPolicy } from '../../domain/access-policy.ts';
import { type BudgetCap, capsOf, thresholds, viewOfCap } from '../../domain/budget.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { BudgetThresholds, Ids, Log, Spending, TaskQueue, ThresholdMark } from '../../domain/ports.ts';
import { queueEvent } from './update-job.ts';

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
 * Reports the thresholds of budgets that a tenant has reached: one `budget.threshold` event for each share and window. The
 * store marks a threshold in the step that reaches it. After a crash the sweeper reports the marks that are left.
 */
export function createReportThresholds(deps: Deps) {
  async function findCap(tenant: string, mark: ThresholdMark): Promise<BudgetCap | undefined> {
    const { keyId, atMs } = mark;
    const caps = capsOf(await deps.policyOf(tenant, keyId), keyId, { acceptedAtMs: atMs, nowMs: atMs });
    return caps.find(mark.isOf);
  }

  async function eventsOf(tenant: string, cap: BudgetCap, { keyId, percent, atMs }: ThresholdMark) {
    const [figures = { heldMicroUsd: 0, spentMicroUsd: 0 }] = await deps.spending.read(tenant, [cap]);
    const owner = keyId === undefined ? { tenant } : { key_id: keyId };
    return thresholds
      .filter((each) => each <= percent)
      .map((each) => {
        const data = { ...owner, budget: viewOfCap({ cap, ...figures }), threshold_percent: each };
        const body = JSON.stringify({ type: 'budget.threshold', timestamp: isoTime(atMs), data });
        return { id: deps.ids.event(atMs), percent: each, body };
      });
  }

  return async (tenant: string): Promise<void> => {
    for (const mark of await deps.thresholds.list(tenant, maxMarks)) {
      const cap = await findCap(tenant, mark);
      // The budget may have been removed since.
      const events = cap ? await eventsOf(tenant, cap, mark) : [];
      const written = await deps.thresholds.resolve(tenant, mark, events);
      for (const id of written) await queueEvent(deps, { tenant, id });
    }
  };
}
export type ReportThresholds = ReturnType<typeof createReportThresholds>;
