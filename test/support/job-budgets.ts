import type { CallerPolicy } from '../../src/domain/access-policy.ts';
import { capsOf } from '../../src/domain/budget.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import type { Clock } from '../../src/domain/ports.ts';
import { ids } from '../../src/lib/ids.ts';
import { createReportThresholds } from '../../src/usecases/jobs/report-thresholds.ts';

/** Returns the verbs of budgets with the same rules for all keys. */
export function budgetsOf(
  deps: Omit<Parameters<typeof createReportThresholds>[0], 'ids' | 'policyOf'> & { clock: Clock },
  rules: CallerPolicy = { key: {}, tenant: {} },
) {
  return {
    reportThresholds: createReportThresholds({ ...deps, ids, policyOf: async () => rules }),
    capsOf: async ({ keyId, createdAt: acceptedAtMs }: ImageJob) =>
      capsOf(rules, keyId, { acceptedAtMs, nowMs: deps.clock() }),
  };
}
