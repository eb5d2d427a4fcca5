import { type BudgetCap, labelsOf } from '../../domain/budget.ts';
import { withKnownBilling } from '../../domain/error-billing.ts';
import { type ImageJob, isEnhancement, isTerminal, shownStatus } from '../../domain/image-job.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import { type Excess, newExcesses, withHold } from '../../domain/job-money.ts';
import type { JobKey, JobStore, Log, Meter, TaskQueue } from '../../domain/ports.ts';
import { eventFor, type NewEvent } from '../../domain/webhook-event.ts';
import type { CancelProviderCalls } from './cancel-provider-calls.ts';
import { queueEvent } from './enqueue-event.ts';
import { type ReportThresholds, reportInBackground } from './report-thresholds.ts';

interface Deps {
  records: JobStore;
  webhookQueue: TaskQueue;
  cancelProviderCalls: CancelProviderCalls;
  /** Returns the budgets in which a job counts. */
  capsOf: (job: ImageJob) => Promise<readonly BudgetCap[]>;
  /** Whether a higher hold must fit the budgets. Default: it may rise above every budget. */
  mustFit?: boolean;
  reportThresholds: ReportThresholds;
  meter: Meter;
  log: Log;
}

/** Function that changes a record, see `JobStore.update`. */
export type UpdateJob = (
  key: JobKey,
  change: (job: ImageJob) => ImageJob | null,
  known?: ImageJob,
) => Promise<ImageJob | null>;

/**
 * Creates the only function that changes a job after its submission. The new state and its event are written in one atomic
 * step. The event is then enqueued for dispatch. If enqueueing fails, the reconciler finds the event. When a job ends, its
 * background calls at the provider are canceled, because no worker will resume them.
 *
 * @throws AppError `budget_exceeded` if `mustFit` is set and the hold would rise above a budget.
 */
export function createUpdateJob(deps: Deps): UpdateJob {
  return async ({ tenant, id }, change, known) => {
    let eventWritten: NewEvent | undefined;
    let ended: ImageJob | undefined;
    let excesses: Excess[] = [];
    const job = await deps.records.update(
      { tenant, id },
      (before) => {
        ended = undefined;
        excesses = [];
        const changed = change(before);
        if (changed === null || changed === before) return null;
        // Every write settles what is known, so that no path to the end of a job can leave its hold behind.
        const after = withHold(withKnownBilling(before, changed));
        excesses = newExcesses(before, after);
        if (after.status === before.status) return { job: after };
        if (isTerminal(after.status)) ended = after;
        return isEnhancement(after) ? { job: after } : { job: after, event: eventFor(after) };
      },
      {
        known,
        ...(deps.mustFit ? { capsOf: deps.capsOf } : {}),
        budgetsOf: (after) => budgetsOf(deps, after),
        onCapped: ({ cap }) => deps.meter.budgetRefused(labelsOf(cap)),
        onMark: () => reportInBackground(deps, tenant),
        onEvent: (event) => {
          eventWritten = event;
        },
      },
    );
    if (job) for (const excess of excesses) recordExcess(deps, job, excess);
    if (job && ended) recordEnd(deps, ended);
    if (eventWritten) await queueEvent(deps, { tenant, id: eventWritten.id });
    if (ended) await deps.cancelProviderCalls(ended);
    return job;
  };
}

/** Returns the budgets in which the money of a job counts. Money is booked even if they cannot be read. */
async function budgetsOf({ capsOf, log }: Deps, job: ImageJob): Promise<readonly BudgetCap[]> {
  return capsOf(job).catch((error) => {
    log.warn(
      { err: error, ...logFieldsOf(job) },
      'budgets not read; the next job will report their thresholds',
    );
    return [];
  });
}

function recordExcess({ meter, log }: Deps, job: ImageJob, excess: Excess): void {
  const { attemptNo, costMicroUsd, boundMicroUsd } = excess;
  meter.billAboveHold(costMicroUsd - boundMicroUsd);
  log.warn(
    {
      ...logFieldsOf(job),
      attempt: attemptNo,
      model: job.request?.model,
      cost_micro_usd: costMicroUsd,
      bound_micro_usd: boundMicroUsd,
    },
    'bill above its hold; booked in full',
  );
}

function recordEnd({ meter, log }: Deps, job: ImageJob): void {
  meter.jobFinished(shownStatus(job), job.errors?.at(-1)?.code ?? 'none');
  log.info(
    {
      ...logFieldsOf(job),
      status: job.status,
      images: job.images.length,
      attempts: job.attempts.length,
      duration_ms: (job.finishedAt ?? 0) - job.createdAt,
    },
    'job ended',
  );
}
